// npm run bench -- <name>: one script per question; each writes its section of a file in bench/results.
const benches: Record<string, () => Promise<{ run(args: string[]): Promise<void> }>> = {
  circle: () => import('./circle.ts'),
  ground: () => import('./ground.ts'),
  grounding: () => import('./grounding.ts'),
  copying: () => import('./copying.ts'),
  raters: () => import('./raters.ts'),
  ratings: () => import('./ratings.ts'),
  'train-step': () => import('./train-step.ts'),
  score: () => import('./score.ts'),
  crash: () => import('./crash.ts'),
  'full-disk': () => import('./full-disk.ts'),
  upload: () => import('./upload.ts'),
  label: () => import('./label.ts'),
  'bring-your-own': () => import('./bring-your-own.ts'),
  device: () => import('./device.ts'),
  decode: () => import('./decode.ts'),
  scale: () => import('./scale.ts'),
  serve: () => import('./serve.ts'),
  exposed: () => import('./exposed.ts'),
  fairness: () => import('./fairness.ts'),
  sockets: () => import('./sockets.ts'),
  connections: () => import('./connections.ts'),
  npcs: () => import('./npcs.ts'),
  'npc-real': () => import('./npc-real.ts'),
  portraits: () => import('./portraits.ts'),
  examples: () => import('./examples.ts'),
  screenshots: () => import('./screenshots.ts'),
  precision: () => import('./precision.ts'),
  dials: () => import('./dials.ts'),
  steering: () => import('./steering.ts'),
  toxicity: () => import('./toxicity.ts'),
  shipped: () => import('./shipped.ts'),
  methods: () => import('./methods.ts'),
  upstream: () => import('./upstream.ts'),
  'chat-upstream': () => import('./chat-upstream.ts'),
  'real-model': () => import('./real-model.ts'),
  'real-speed': () => import('./real-speed.ts'),
  interop: () => import('./interop.ts'),
  'steering-vectors': () => import('./steering-vectors.ts'),
  adapters: () => import('./adapters.ts'),
};

const [name, ...args] = process.argv.slice(2);
const bench = benches[name ?? ''];
if (bench) {
  await (await bench()).run(args);
} else {
  process.stderr.write(
    `Expected a bench: ${Object.keys(benches).join(', ')}; found ${name ?? 'none'}. Example: npm run bench -- train-step\n`,
  );
  process.exitCode = 1;
}
