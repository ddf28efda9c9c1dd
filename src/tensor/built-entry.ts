// Sessions block their thread, so engines run in threads and training in child processes, and both start from a compiled file.
// Under the test runner the caller is TypeScript source: its compiled twin lies under dist.

/** URL of the compiled module `relative` (written with .ts) beside the module whose `import.meta.url` is given. */
export function builtEntry(moduleUrl: string, relative: string): URL {
  const url = new URL(relative.replace(/\.ts$/, '.js'), moduleUrl);
  if (moduleUrl.endsWith('.ts')) url.pathname = url.pathname.replace(/\/src\/(?!.*\/src\/)/, '/dist/src/');
  return url;
}
