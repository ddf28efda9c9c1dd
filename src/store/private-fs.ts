// The folder of an embedded database, for its owner alone. PGlite gives every file mode 666 after making it, whatever the umask says.
import { NodeFS } from '@electric-sql/pglite/nodefs';
import { ownersShare } from '../private-files.ts';

/** What sets modes in the file system of the WebAssembly module (Emscripten's NODEFS). */
interface Operations {
  mknod(parent: unknown, name: string, mode: number, device: number): unknown;
  setattr(node: unknown, change: { mode?: number }): void;
}
interface Nodes {
  node_ops: Operations;
  stream_ops: Pick<Operations, 'setattr'>;
}

const permissions = 0o777;

export class PrivateFs extends NodeFS {
  override async init(...asked: Parameters<NodeFS['init']>): ReturnType<NodeFS['init']> {
    const { emscriptenOpts } = await super.init(...asked);
    const restrict = (module: unknown) => keepPrivate((module as { NODEFS: Nodes }).NODEFS);
    return { emscriptenOpts: { ...emscriptenOpts, preRun: [restrict, ...(emscriptenOpts.preRun ?? [])] } };
  }
}

function keepPrivate({ node_ops, stream_ops }: Nodes): void {
  const own = (mode: number) => mode & ~(permissions & ~ownersShare);
  const { mknod } = node_ops;
  node_ops.mknod = (parent, name, mode, device) => mknod(parent, name, own(mode), device);
  for (const operations of [node_ops, stream_ops]) {
    const { setattr } = operations;
    operations.setattr = (node, change) =>
      setattr(node, change.mode === undefined ? change : { ...change, mode: own(change.mode) });
  }
}
