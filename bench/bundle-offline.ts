// npm run bundle:offline: a folder dist-offline that runs the device bench on a Linux x64 machine without network, repository or Node, and that
// folder as one archive. It holds this Node, the built code, the packages it imports, the runtime with its webgpu provider, and the loader of
// Vulkan drivers with one that needs no graphics device, so that the bundle can be tried anywhere.
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { hasSoftwareVulkan, softwareVulkanFolder } from '../tests/software-vulkan.ts';

const out = 'dist-offline';
const archive = `${out}.tar.gz`;
const mostBytes = 60e6;
/** What run.sh starts, and what these start. */
const entries = ['bench/main.js', 'bench/device.js', 'bench/device-ours.js', 'bench/device-equality.js'];
/** The other benches are loaded when asked for, and stay behind. */
const lazy = /^\.\/(?!device)/;

/** The runtime's own files that the webgpu provider needs: it is part of the library. */
const runtimeFiles = ['bin/napi-v6/linux/x64/libonnxruntime.so.1', 'bin/napi-v6/linux/x64/onnxruntime_binding.node'];

if (process.platform !== 'linux' || process.arch !== 'x64') {
  process.stderr.write(
    `Expected Linux x64, found ${process.platform} ${process.arch}: the bundle holds this machine's Node. Make it there.\n`,
  );
  process.exit(1);
}
rmSync(out, { recursive: true, force: true });
const packages = copyCode();
for (const name of packages) copyPackage(name);
copyNode();
cpSync('models/npc', join(out, 'models/npc'), { recursive: true });
if (hasSoftwareVulkan) cpSync(softwareVulkanFolder(), join(out, 'vulkan'), { recursive: true });
chmodSync(join(out, 'vulkan'), 0o755);
writeFileSync(join(out, 'package.json'), '{ "type": "module" }\n');
writeFileSync(join(out, 'run.sh'), runScript());
chmodSync(join(out, 'run.sh'), 0o755);
execFileSync('tar', ['-czf', archive, out], { env: { ...process.env, GZIP: '-9' } });
const { size } = statSync(archive);
process.stdout.write(`${archive}: ${(size / 1e6).toFixed(1)} MB; packages: ${[...packages].join(', ')}\n`);
if (size > mostBytes) {
  process.stderr.write(`Expected at most ${mostBytes / 1e6} MB. Look for what grew: du -a ${out} | sort -n\n`);
  process.exitCode = 1;
}

/** Copies every built file the entries reach; answers with the packages these import. */
function copyCode(): Set<string> {
  const outside = new Set<string>();
  const seen = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    const to = join(out, relative('.', file));
    mkdirSync(dirname(to), { recursive: true });
    const source = readFileSync(file, 'utf8').replace(/\n\/\/# sourceMappingURL=.*/, '');
    writeFileSync(to, source);
    for (const name of importsOf(source)) {
      if (name.startsWith('.')) {
        if (!(file.endsWith('bench/main.js') && lazy.test(name))) visit(resolve(dirname(file), name));
      } else if (!name.startsWith('node:')) outside.add(packageOf(name));
    }
  };
  for (const entry of entries) visit(resolve('dist', entry));
  // Of what the runtime's package depends on, only this is not there for installing it.
  return outside.add('onnxruntime-common');
}

function importsOf(source: string): string[] {
  return [...source.matchAll(/(?:from|import|import\(|\)\()\s*'([^']+)'/g)].map((match) => match[1]!);
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** A package without types, maps and words; of the runtime only what runs here. */
function copyPackage(name: string): void {
  const from = join('node_modules', name);
  const runtime = name === 'onnxruntime-node';
  const dropped = runtime ? /^(bin|lib|script)(\/|$)/ : /^\.bin$/;
  const read = /\.(map|md|ts|cts|mts)$/;
  const filter = (path: string) => !read.test(path) && !dropped.test(relative(realpathSync(from), realpathSync(path)));
  cpSync(realpathSync(from), join(out, from), { recursive: true, filter });
  if (runtime) for (const file of runtimeFiles) cpSync(join(from, file), join(out, from, file));
}

/** This process's program, without what only a debugger reads. */
function copyNode(): void {
  const to = join(out, 'node');
  cpSync(process.execPath, to, { dereference: true });
  try {
    execFileSync('strip', [to]);
  } catch {
    process.stdout.write('No `strip` here: the bundle is some megabytes larger than it need be.\n');
  }
}

function runScript(): string {
  return `#!/bin/sh
# Runs the device bench: sh run.sh [software] [--seconds 8] [--rounds 3] [--models npc,large] [--streams 1,16,64]. JSON comes out on standard output.
# With \`software\` the driver in this folder is used, which needs no graphics device.
cd "$(dirname "$0")" || exit 1
export ORT_DISABLE_TELEMETRY=1
if [ "$1" = software ]; then
  shift
  export VK_DRIVER_FILES="$PWD/vulkan/vk_swiftshader_icd.json" VK_ICD_FILENAMES="$PWD/vulkan/vk_swiftshader_icd.json"
elif [ -z "$VK_DRIVER_FILES" ]; then
  # A container may have its driver mounted where the loader does not look.
  for driver in /usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json /usr/share/nvidia/vulkan/icd.d/nvidia_icd.json; do
    [ -f "$driver" ] && [ ! -f /usr/share/vulkan/icd.d/nvidia_icd.json ] && [ ! -f /etc/vulkan/icd.d/nvidia_icd.json ] &&
      export VK_DRIVER_FILES="$driver" VK_ICD_FILENAMES="$driver"
  done
fi
# The machine's own loader goes first where it has one.
if ! ldconfig -p 2>/dev/null | grep -q 'libvulkan\\.so\\.1'; then export LD_LIBRARY_PATH="$PWD/vulkan\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"; fi
exec ./node dist/bench/main.js device "$@"
`;
}
