// What this room uses of the WebAssembly interface, which the types of Node leave out.
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array<ArrayBuffer>);
  }

  class Instance {
    constructor(module: Module, imports: { env: { memory: Memory } });
    readonly exports: Record<string, unknown>;
  }

  class CompileError extends Error {}

  class Memory {
    constructor(descriptor: { initial: number; maximum: number; shared: true });
    readonly buffer: SharedArrayBuffer;
    /** Throws RangeError where there are no more pages. */
    grow(pages: number): number;
  }

  function compile(bytes: Uint8Array<ArrayBuffer>): Promise<Module>;
  function instantiate(module: Module, imports: { env: { memory: Memory } }): Promise<{ exports: Record<string, unknown> }>;
}
