// Replies to one prompt of which people preferred one. A pair becomes two samples of one conversation: the better reply, and the worse one, which is
// marked as such and context alone, so that no model learns to write it. On export each sample is a row of KTO: one reply, and whether it is the
// better one.
import { nameIn } from '../record-fields.ts';
import { type ParsedSample, promptKey } from '../sample.ts';
import { conversationOf, conversationSample, type Format, ratingsOf, turnFields, unfit, untrained } from './format.ts';
import { type ReadTurns, readMessages } from './messages.ts';
import { isPreference, preferenceFields, readPreference, type SpokenReply } from './preference-record.ts';

export const preference: Format = {
  description:
    'Preference: {"prompt", "chosen", "rejected"} of TRL, ShareGPT or hh-rlhf, {"input", "preferred_output", "non_preferred_output"}, {"prompt", "completion", "label"}',
  matches: isPreference,
  parse(record) {
    const { system, conversationId, replies } = readPreference(record);
    const read = replies.map((reply) => readMessages(reply.messages, { opening: system }));
    const same = read.length > 1 ? sharedTurns(read[0]!, read[1]!) : 0;
    const samples = replies.map((reply, i) => sampleOf(reply, read[i]!, same));
    const name = nameIn(conversationId) ?? promptKey(samples[0]!.content);
    return samples.map((sample) => ({ ...sample, conversationId: name }));
  },
  fields: preferenceFields,
  render(sample) {
    const { system, turns } = conversationOf(sample.content);
    if (turns.length < 2 || turns.at(-1)!.role !== 'assistant') {
      throw unfit('a preference is of a reply to something; this conversation does not end with one');
    }
    const opening = system === '' ? [] : [{ role: 'system', content: system }];
    const said = turns.map((turn, i) => ({
      ...turnFields(sample, i),
      role: turn.role,
      content: turn.content,
      ...(turn.role === 'assistant' ? { weight: turn.trained === false ? 0 : 1 } : {}),
      ...ratingsOf(sample, i, turn.label),
    }));
    const label = sample.preference ? { label: sample.preference === 'chosen' } : {};
    const prompt = [...opening, ...said.slice(0, -1)];
    return [{ prompt, completion: said.slice(-1), ...label, conversation_id: sample.conversationId }];
  },
  schema: null,
  rules: {},
};

/** Turns at the start that are the same in both. */
function sharedTurns(a: ReadTurns, b: ReadTurns): number {
  const differs = a.turns.findIndex(({ role, content }, i) => b.turns[i]?.role !== role || b.turns[i]?.content !== content);
  return differs === -1 ? a.turns.length : differs;
}

/** What was said before is context unless its own weight says otherwise, and so is all of a worse reply. */
function sampleOf({ messages, prompt, better }: SpokenReply, read: ReadTurns, same: number): ParsedSample {
  if (read.turns.at(-1)?.role !== 'assistant') throw unfit('expected a reply of the assistant at the end, found another turn');
  const leading = messages.length - read.turns.length;
  const reply = prompt === null ? same : prompt - leading;
  const turns = read.turns.map((turn, i) => {
    const learnt = better !== false && (i >= reply || messages[i + leading]!.weight === 1);
    return learnt ? turn : untrained(turn);
  });
  const marked = better === undefined ? {} : { preference: better ? ('chosen' as const) : ('rejected' as const) };
  const fields = read.fields && { turns: read.fields };
  return conversationSample(read.system, turns, { ...marked, readings: read.readings, fields });
}
