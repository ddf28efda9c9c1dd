// Asks a running server for one short and one long reply; ends with an error when steering does not show. Usage: node tests/smoke.js <url>
const url = process.argv[2];

async function untilReady() {
  for (let tries = 0; tries < 240; tries++) {
    const ready = await fetch(`${url}/health/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (ready) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error('the server did not become ready within two minutes');
}

async function words(verbosity) {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'default',
      messages: [{ role: 'user', content: 'Can you tell me the way to the market?' }],
      attributes: { verbosity },
      temperature: 0.7,
      seed: 1,
      n: 4,
    }),
  });
  const { choices, error } = await response.json();
  if (error) throw new Error(error.message);
  const texts = choices.map(({ message }) => message.content);
  console.log(`verbosity ${verbosity}:`, texts);
  return texts.join(' ').split(/\s+/).length / texts.length;
}

await untilReady();
const [short, long] = [await words(0), await words(4)];
console.log(`mean words: ${short} at verbosity 0, ${long} at verbosity 4`);
if (!(long > 2 * short)) throw new Error('verbosity 4 should be at least twice as long as verbosity 0');

// The pages were built with the program.
const page = await (await fetch(`${url}/`)).text();
const script = await fetch(`${url}/assets/app.js`);
if (!page.includes('/assets/app.js') || !script.ok) throw new Error('the playground is not served');
