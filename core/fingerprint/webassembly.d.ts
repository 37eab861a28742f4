/** The part of WebAssembly that is used here: @types/node declares `Module` alone, and lib.dom is not for a server. */
declare namespace WebAssembly {
  interface Memory {
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  var Module: new (bytes: Uint8Array) => Module;
  var Instance: new (module: Module) => { readonly exports: unknown };
}
