import { expect, it } from 'vitest';
import { withAlteredNotNulls } from '../../core/schema/inherited-not-null.ts';

const dump = (body: string) => `SET a = 1;

--
-- Name: ch; Type: TABLE; Schema: public; Owner: -
--

${body}


ALTER TABLE public.ch OWNER TO me;
`;

it.each([
  [
    'CREATE TABLE public.ch (\n    NOT NULL v,\n    NOT NULL "W, x"\n)\nINHERITS (public.par);',
    'CREATE TABLE public.ch (\n)\nINHERITS (public.par);\n\nALTER TABLE ONLY public.ch ALTER COLUMN v SET NOT NULL;\n\nALTER TABLE ONLY public.ch ALTER COLUMN "W, x" SET NOT NULL;',
  ],
  [
    `CREATE UNLOGGED TABLE "a b"."c""d" (\n    x text DEFAULT ',\n    NOT NULL y,\n'::text,\n    NOT NULL v,\n    CONSTRAINT foo CHECK ((x < 'a'::text))\n)\nINHERITS (public.par);`,
    `CREATE UNLOGGED TABLE "a b"."c""d" (\n    x text DEFAULT ',\n    NOT NULL y,\n'::text,\n    CONSTRAINT foo CHECK ((x < 'a'::text))\n)\nINHERITS (public.par);\n\nALTER TABLE ONLY "a b"."c""d" ALTER COLUMN v SET NOT NULL;`,
  ],
])('what only PostgreSQL 18 understands becomes an ALTER TABLE', (before, after) => {
  expect(withAlteredNotNulls(dump(before))).toBe(dump(after));
});

it.each([
  'CREATE TABLE public.ch (\n    v text NOT NULL\n);',
  'CREATE FUNCTION public.f() RETURNS void LANGUAGE plpgsql AS $$\nCREATE TABLE x (\n    NOT NULL v\n)\n$$;',
  'CREATE TABLE public.ch OF public.ty (\n    a NOT NULL\n);',
])('everything else stays as it is', (text) => {
  expect(withAlteredNotNulls(dump(text))).toBe(dump(text));
});
