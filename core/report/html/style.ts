/** The style of the page: light and dark by the reader's own setting, one column from a phone to paper. */
import { constantMarkup } from './markup.ts';

export const style = constantMarkup(`
:root{--paper:#fbfaf7;--card:#fff;--ink:#1b1f24;--soft:#5b6470;--line:#dfdcd3;--bar:#2f5f8a;--track:#ebe8e0;
--good:#176639;--good-soft:#e6f3ea;--warning:#8a5200;--warning-soft:#fcf1dc;--bad:#a4221b;--bad-soft:#fbe9e7}
@media screen and (prefers-color-scheme:dark){:root{--paper:#14171b;--card:#1c2026;--ink:#e8e6e1;--soft:#a0a8b3;--line:#333a43;
--bar:#6fa8dc;--track:#2a3038;--good:#6fd194;--good-soft:#16291e;--warning:#f0b95c;--warning-soft:#2e2413;--bad:#ff8f85;--bad-soft:#34191a}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
-webkit-text-size-adjust:100%;overflow-wrap:anywhere}
main{max-width:64rem;margin:0 auto;padding:1.5rem 1rem 3rem}
h1,h2,h3,p,dl,dd,figure{margin:0}
h1{font-size:1.7rem;line-height:1.2;letter-spacing:-.01em}
h2{font-size:1.15rem;margin-bottom:.6rem}
h3{font-size:.9rem;font-weight:600;color:var(--soft)}
code{font:.92em/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
section{margin-top:2rem}
.kicker,.quiet,footer{color:var(--soft);font-size:.875rem}
.kicker{margin-bottom:.6rem}
.verdict{display:flex;gap:1rem;align-items:flex-start;padding:1.25rem;border:1px solid var(--tone);border-left-width:8px;border-radius:10px;background:var(--tone-soft)}
.verdict h1{color:var(--tone)}
.verdict p{margin-top:.35rem;max-width:44rem}
.good{--tone:var(--good);--tone-soft:var(--good-soft)}
.warning{--tone:var(--warning);--tone-soft:var(--warning-soft)}
.bad{--tone:var(--bad);--tone-soft:var(--bad-soft)}
.plain{--tone:var(--soft);--tone-soft:transparent}
.mark{flex:none;fill:none;stroke:var(--tone);stroke-width:2.5;stroke-linecap:round;stroke-linejoin:round}
.pill{display:inline-block;padding:0 .55em;border:1px solid var(--tone);border-radius:1em;color:var(--tone);background:var(--tone-soft);font-size:.8rem;font-weight:600;white-space:nowrap}
.error{padding:1rem 1.25rem;border:1px solid var(--line);border-radius:10px;background:var(--card)}
.error p+p{margin-top:.5rem}
.message,.value{white-space:pre-wrap}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(15rem,1fr));gap:1rem}
.card{padding:1rem 1.25rem;border:1px solid var(--line);border-radius:10px;background:var(--card)}
.figure{font-size:1.9rem;line-height:1.3;font-weight:650;font-variant-numeric:tabular-nums}
.card .quiet{margin-top:.4rem}
dl{border-top:1px solid var(--line)}
dl>div{display:grid;grid-template-columns:12rem 1fr;gap:0 1rem;padding:.4rem 0;border-bottom:1px solid var(--line)}
dt{color:var(--soft)}
time{white-space:nowrap}
figure{margin-bottom:1rem}
.timeline text{font-size:14px;fill:var(--ink)}
.timeline .soft{fill:var(--soft);font-size:13px}
.timeline .track{fill:var(--track)}
.timeline .bar{fill:var(--bar)}
table{width:100%;border-collapse:collapse;font-size:.9rem}
p+table{margin-top:.6rem}
th{overflow-wrap:normal;padding:.35rem .6rem .35rem 0;border-bottom:2px solid var(--line);text-align:left;vertical-align:bottom;font-size:.8rem;font-weight:600;color:var(--soft)}
td{padding:.4rem .6rem .4rem 0;border-bottom:1px solid var(--line);vertical-align:top}
.number{text-align:right;font-variant-numeric:tabular-nums}
td.number{white-space:nowrap}
.name{font-weight:550;white-space:pre-wrap}
td .name{display:inline-block;max-width:20rem;overflow-wrap:break-word}
td .quiet{font-size:.95em}
.digits{font-size:.8rem;color:var(--soft)}
th:last-child,td:last-child{padding-right:0}
details{margin-top:.5rem}
summary{padding:.5rem 0;cursor:pointer;color:var(--bar);font-weight:600}
.warnings{margin:0;padding-left:1.2rem}
.warnings li+li{margin-top:.5rem}
footer{margin-top:2.5rem;padding-top:1rem;border-top:1px solid var(--line)}
footer p+p{margin-top:.4rem}
@media screen and (max-width:46rem){
main{padding:1rem .9rem 2rem}
h1{font-size:1.4rem}
.verdict{padding:1rem;gap:.75rem}
.mark{width:34px;height:34px}
dl>div{grid-template-columns:1fr}
.wide{display:none}
.stacked thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.stacked,.stacked tbody,.stacked tr,.stacked td{display:block}
.stacked tr{padding:.5rem 0;border-bottom:1px solid var(--line)}
.stacked td,.stacked td.number{display:grid;grid-template-columns:8.5rem 1fr;gap:.75rem;padding:.15rem 0;border:0;text-align:left;white-space:normal}
.stacked td::before{content:attr(data-title);color:var(--soft);font-size:.8rem}
.stacked td>div{min-width:0}
.stacked td:first-child{display:block;font-weight:600}
.stacked td:first-child::before{content:none}
dt{font-size:.8rem}
}
@media print{
@page{margin:15mm}
:root{--paper:#fff}
body{font-size:10.5pt}
main{max-width:none;padding:0}
section{margin-top:1.1rem}
h2{break-after:avoid}
.verdict,.card,.error,figure,tr,dl>div{break-inside:avoid}
.verdict,.pill,.timeline{-webkit-print-color-adjust:exact;print-color-adjust:exact}
table{font-size:9pt}
td{padding:.25rem .5rem .25rem 0}
.digits{font-size:7.5pt}
details::details-content{content-visibility:visible;block-size:auto}
summary{list-style:none;color:var(--soft)}
}
`);
