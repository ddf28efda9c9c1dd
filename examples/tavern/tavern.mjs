// A tavern in a terminal: three characters whose temper changes with what you do to them. Plain Node, no package; a game would do the same.
//
//   npm start                               in one terminal
//   node examples/tavern/tavern.mjs         in another; --help lists what can be set and typed
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

const usage = `node examples/tavern/tavern.mjs

  --url URL       of the server; http://127.0.0.1:8080 unless given
  --key KEY       where the server has one (STEER_API_KEY)
  --model NAME    who writes their lines; npc, which comes with the server, unless given
  --player NAME   who you are; Wanderer unless given
  --seed NUMBER   the same seed and the same evening give the same lines; 7 unless given
  --max-ms MS     by when a line must be there; 2000 unless given

Type what you say, or one of these:

  /go NAME        turn to somebody else: marta, brom, ysolde
  /insult, /apologise, /pay COINS, /brawl
  /up, /down      what you think of the last line
  /mood           how they feel, and why
  /wait SECONDS   let time pass
  /save NAME      remember how everything is, under a name if you like
  /load NAME      go back to that, or to what was saved last; saves last until you leave
  /help, /quit`;

const tell = (text) => process.stdout.write(`${text}\n`);

const options = readOptions();
const headers = { 'content-type': 'application/json', ...(options.key ? { authorization: `Bearer ${options.key}` } : {}) };
const characters = JSON.parse(readFileSync(new URL('characters.json', import.meta.url), 'utf8'));

/** Seconds on the tavern's own clock: a line takes five, and waiting is up to the player. */
let clock = 0;
const sessions = new Map();
/** What the clock showed at each save, by name, the latest last. */
const saves = new Map();
let present = characters[0].id;

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        url: { type: 'string', default: 'http://127.0.0.1:8080' },
        key: { type: 'string' },
        model: { type: 'string', default: 'npc' },
        player: { type: 'string', default: 'Wanderer' },
        seed: { type: 'string', default: '7' },
        'max-ms': { type: 'string', default: '2000' },
        help: { type: 'boolean', default: false },
      },
    });
    if (!values.help) return { ...values, url: values.url.replace(/\/+$/, '') };
    tell(usage);
    return process.exit(0);
  } catch (error) {
    return leave(error.message);
  }
}

function leave(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

async function call(method, path, body) {
  const reply = await fetch(options.url + path, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
  if (!reply.ok) throw new Error(await reasonOf(reply));
  return await reply.json().catch(() => {
    throw new Error(`What answers at ${options.url} is no steer server.`);
  });
}

/** What the server says of a refusal; something else may listen at that address. */
async function reasonOf(reply) {
  const { error } = await reply.json().catch(() => ({}));
  return error?.message ?? `${options.url} answered ${reply.status} ${reply.statusText}, and not as steer does.`;
}

const address = (part, id = present) => `/v1/npcs/${id}/sessions/${sessions.get(id).id}/${part}`;
const nameOf = (id) => characters.find((character) => character.id === id).name;

/** Each character as the file has it; one that is there already is brought up to date. */
async function enterTavern() {
  for (const { id, ...rest } of characters) {
    const character = { ...rest, model: options.model };
    const known = await fetch(`${options.url}/v1/npcs/${id}`, { headers });
    if (known.ok) await call('PUT', `/v1/npcs/${id}`, character);
    else await call('POST', '/v1/npcs', { id, ...character });
    const begin = {
      player_id: options.player.replaceAll(/[^\w.-]/g, '_'),
      player_name: options.player,
      seed: Number(options.seed),
      at: clock,
    };
    sessions.set(id, await call('POST', `/v1/npcs/${id}/sessions`, { ...begin, relationship: 0 }));
  }
  await goTo(present);
}

async function goTo(name) {
  const found = characters.find(({ id }) => id === name.toLowerCase());
  if (!found)
    return tell(
      `${name === '' ? 'To whom?' : `Nobody is called ${name}.`} Here are ${characters.map(({ id }) => id).join(', ')}.`,
    );
  present = found.id;
  await call('POST', address('warm'));
  const { greeting } = sessions.get(present);
  if (greeting) tell(`${found.name}: ${greeting}`);
}

/** Sentences are shown as they are said. */
async function say(text) {
  clock += 5;
  const body = JSON.stringify({ text, at: clock, stream: true, max_ms: Number(options['max-ms']) });
  const reply = await fetch(options.url + address('say'), {
    method: 'POST',
    headers: { ...headers, accept: 'application/x-ndjson' },
    body,
  });
  if (!reply.ok) throw new Error(await reasonOf(reply));
  process.stdout.write(`${nameOf(present)}: `);
  for await (const said of jsonLines(reply.body)) {
    if (said.error) throw new Error(said.error.message);
    if (said.object === 'npc.sentence') process.stdout.write(said.text);
    else tell(said.action ? `  [${said.action}]` : '');
  }
}

async function* jsonLines(body) {
  let held = '';
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    const lines = (held + chunk).split('\n');
    held = lines.pop();
    for (const line of lines) yield JSON.parse(line);
  }
}

/** What happens in a tavern is heard by everyone in it; an insult only by whom it is meant for. */
async function happen(type, data, toAll = false) {
  clock += 1;
  for (const id of toAll ? sessions.keys() : [present]) {
    await call('POST', address('events', id), { type, at: clock, ...(data ? { data } : {}) });
  }
  await showMood();
}

async function showMood() {
  const { attributes, relationship } = await call('GET', `${address('mood')}?at=${clock}`);
  tell(`  ${nameOf(present)} at ${clock} s, relationship ${relationship.toFixed(2)}`);
  for (const [name, { value, baseline, contributions }] of Object.entries(attributes)) {
    const signed = (amount) => `${amount < 0 ? '−' : '+'} ${Math.abs(amount).toFixed(2)}`;
    const parts = contributions.map(({ source, event, remaining }) => `${signed(remaining)} (${event ?? source})`);
    if (parts.length > 0) tell(`  ${name.padEnd(12)} ${value.toFixed(2)} = ${[baseline.toFixed(2), ...parts].join(' ')}`);
  }
}

const commands = {
  go: goTo,
  insult: () => happen('player.insulted'),
  apologise: () => happen('player.apologised'),
  pay: (coins) => {
    if (coins && !(Number(coins) > 0)) return tell(`  ${coins} is no number of coins`);
    return happen('player.paid', { coins: Number(coins) || 1 });
  },
  brawl: () => happen('brawl.started', undefined, true),
  wait: async (seconds) => {
    clock += Number(seconds) || 60;
    await showMood();
  },
  mood: showMood,
  save,
  load,
  up: () => like('up'),
  down: () => like('down'),
  help: () => tell(usage.slice(usage.indexOf('Type'))),
};

/** Everybody together, since they share a clock. */
async function save(name) {
  const called = name || 'unnamed';
  for (const id of sessions.keys()) await call('POST', address('save', id), { name: called });
  saves.delete(called);
  saves.set(called, clock);
  tell(name ? `  saved as ${name}` : '  saved');
}

async function load(name) {
  const known = [...saves.keys()];
  const called = name || known.at(-1);
  if (called === undefined) return tell('  Nothing is saved yet. /save saves.');
  if (!saves.has(called)) return tell(`  Nothing is saved as ${called}. There is ${known.join(', ') || 'nothing yet'}.`);
  for (const id of sessions.keys()) await call('POST', address('rewind', id), { to: called });
  clock = saves.get(called);
  tell('  as it was');
}

async function like(thumb) {
  const { preferences } = await call('POST', address('feedback'), { thumb });
  tell(`  ${nameOf(present)} will remember: ${JSON.stringify(preferences)}`);
}

/** What went wrong in one line; `fetch` says itself only that it failed. */
function describe(error) {
  if (!(error instanceof TypeError && error.cause)) return error.message;
  const reason = error.cause.code ?? error.cause.message;
  return `No server answers at ${options.url} (${reason}). Start one with "npm start", or name where it is: --url http://HOST:PORT`;
}

try {
  await enterTavern();
} catch (error) {
  leave(describe(error));
}
const input = createInterface({ input: process.stdin });
for await (const line of input) {
  const [, typed, rest] = /^\/(\S*)\s*(.*)$/.exec(line.trim()) ?? [];
  const command = typed?.toLowerCase();
  if (command === 'quit') break;
  try {
    if (command === undefined) await (line.trim() === '' ? undefined : say(line.trim()));
    else if (Object.hasOwn(commands, command)) await commands[command](rest);
    else tell(`  There is no /${typed}. There are /${Object.keys(commands).join(', /')}, /quit`);
  } catch (error) {
    tell(`  ${describe(error)}`);
  }
}
input.close();
