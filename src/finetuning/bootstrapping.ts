// SteerLM's bootstrapping (arXiv 2310.05344, 3.4): a steered model replies to prompts under attributes drawn at random, a predictor says what the
// replies really are, and what was obtained, not what was asked for, becomes the label the next model is trained on.
// Works in chunks, each stored with the place where the next attempt goes on. Loads no model and trains none.
import { and, asc, eq, gt } from 'drizzle-orm';
import type { DerivedSample } from '../datasets/derived.ts';
import { inBatches } from '../datasets/in-batches.ts';
import { contentHash } from '../datasets/sample.ts';
import { findDataset, streamSamples } from '../datasets/samples.ts';
import { splitOf } from '../datasets/split.ts';
import { SteerError } from '../errors.ts';
import { gatherReplies } from '../generation/replies.ts';
import { labelPrompt } from '../generation/steered-prompt.ts';
import type { JobContext } from '../jobs/define.ts';
import { patiently } from '../jobs/patience.ts';
import { own } from '../own.ts';
import { randomStream } from '../random.ts';
import { type AttributeSchema, findAttribute, type Label } from '../steerlm/attributes.ts';
import type { Conversation } from '../steerlm/conversation.ts';
import { trimReply } from '../steerlm/prompt-layout.ts';
import type { Db } from '../store/connect.ts';
import { batchResults, jobErrors } from '../store/work-schema.ts';
import type { BootstrapOptions, FinetuningInput, FinetuningState } from './job-input.ts';
import type { Obtained, Rater, TrainingModels, Writer } from './models.ts';

/** A reply under the values asked for, and the values found in it. */
interface SampledReply {
  conversation: Conversation;
  conversationId: string;
  requested: Label;
  obtained: Obtained;
}

/** Prompts of one step: what a crash repeats at most. */
const chunkPrompts = 16;

interface Prompt {
  index: number;
  conversationId: string;
  conversation: Conversation;
}

/** Samples replies to every prompt that has none yet; `state` says after each chunk how far it is. */
export async function sampleReplies(
  context: JobContext<FinetuningInput>,
  models: TrainingModels,
  options: BootstrapOptions,
  state: FinetuningState,
): Promise<void> {
  const { db, input, signal } = context;
  const writer = await models.language(input.model);
  const rater = await models.predictor(options.predictor);
  const draw = drawing(writer.schema, options, input.seed);
  const prompts = await countPrompts(db, input, options);
  let failed = context.progress.failed;
  for await (const chunk of inBatches(promptsOf(db, input, options, state.sampled), chunkPrompts)) {
    const asked = chunk.map((prompt) => ({ ...prompt, label: draw(prompt.index) }));
    const said: Awaited<ReturnType<typeof replyTo>>[] = [];
    // One after the other: the engine would only take turns.
    for (const prompt of asked) said.push(await replyTo(writer, prompt, options, input.seed, signal));
    const replies = asked.flatMap((prompt, i) => ('failure' in said[i]! ? [] : toReplies(prompt, said[i]!.texts, options)));
    const failures = asked.flatMap(({ index }, i) => ('failure' in said[i]! ? [{ row: index, failure: said[i]!.failure }] : []));
    const scores = await rate(rater, replies, signal);
    const rows = replies.map(({ row, ...reply }, i) => {
      const line: SampledReply = { ...reply, obtained: scores[i]!.attributes };
      return { jobId: context.id, row, ok: true, line: line as unknown as Record<string, unknown> };
    });
    failed += failures.length;
    state.sampled = chunk.at(-1)!.index + 1;
    await context.commit({
      cursor: { ...state },
      progress: { phase: 'sampling', total: prompts, completed: state.sampled - failed, failed },
      write: async (tx) => {
        if (rows.length > 0) await tx.insert(batchResults).values(rows);
        const errors = failures.map(({ row, failure: { code, message } }) => ({ jobId: context.id, row, code, message }));
        if (errors.length > 0) await tx.insert(jobErrors).values(errors);
      },
    });
  }
}

/** The prompts of the dataset in order, each once: conversations up to their last reply, or to their end where a user speaks last. */
async function* promptsOf(
  db: Db,
  { training }: FinetuningInput,
  { max_prompts: most }: BootstrapOptions,
  from: number,
): AsyncGenerator<Prompt> {
  const { id } = await findDataset(db, 'dataset' in training ? training.dataset : '');
  const seen = new Set<string>();
  for await (const { content, conversationId } of streamSamples(db, id)) {
    if (content.kind === 'text') continue;
    const { system, turns } = content.conversation;
    const end = turns.findLastIndex(({ role }) => role === 'user');
    if (end < 0) continue;
    const conversation = { system, turns: turns.slice(0, end + 1) };
    const key = contentHash({ kind: 'conversation', conversation });
    if (seen.has(key)) continue;
    const index = seen.size;
    if (most !== null && index >= most) return;
    seen.add(key);
    if (index >= from) yield { index, conversationId, conversation };
  }
}

async function countPrompts(db: Db, input: FinetuningInput, options: BootstrapOptions): Promise<number> {
  let count = 0;
  for await (const _ of promptsOf(db, input, options, 0)) count++;
  if (count > 0) return count;
  throw new SteerError(
    'invalid_dataset',
    'Expected a dataset of conversations to take prompts from, found none with a user turn.',
    {
      details: { param: 'training_dataset' },
    },
  );
}

/** The values asked for with a prompt; the same prompt always draws the same. */
function drawing(schema: AttributeSchema, { attributes }: BootstrapOptions, seed: number): (index: number) => Label {
  const wanted = new Map(Object.entries(attributes).map(([name, levels]) => [findAttribute(schema, name).name, [levels].flat()]));
  return (index) => {
    const random = randomStream(seed, 'bootstrap', index);
    const drawn = schema.attributes.map(({ name, cap }) => {
      const levels = wanted.get(name) ?? Array.from({ length: cap + 1 }, (_, level) => level);
      return [name, levels[Math.floor(random() * levels.length)] as number];
    });
    return Object.fromEntries(drawn);
  };
}

/** Texts of the replies, or why there are none: one prompt that does not fit is no reason to give up the others. */
async function replyTo(
  writer: Writer,
  { index, conversation, label }: Prompt & { label: Label },
  options: BootstrapOptions,
  seed: number,
  signal: AbortSignal,
): Promise<{ texts: string[] } | { failure: SteerError }> {
  const n = options.samples_per_prompt;
  try {
    const { tokenIds: prompt, phases } = await labelPrompt(writer, conversation, [label]);
    const request = {
      prompt,
      phases,
      maxTokens: Math.max(1, Math.min(options.max_tokens ?? Number.POSITIVE_INFINITY, writer.contextLength - prompt.length)),
      temperature: options.temperature,
      topP: 1,
      topK: options.top_k,
      stop: [],
      seed: Math.floor(randomStream(seed, 'replies', index)() * 2 ** 31),
      n,
    };
    const replies = await patiently(signal, () => gatherReplies(writer.complete(request, signal), n, trimReply));
    return { texts: replies.map(({ text }) => text) };
  } catch (error) {
    if (error instanceof SteerError && error.code === 'context_length_exceeded') return { failure: error };
    throw error;
  }
}

function toReplies(
  { index, conversation, conversationId, label }: Prompt & { label: Label },
  texts: string[],
  { samples_per_prompt: n }: BootstrapOptions,
) {
  return texts.flatMap((content, i) => {
    // Neither is there anything to learn from an empty reply, nor can half a character be stored.
    if (content.trim() === '' || /[\0\p{Surrogate}]/u.test(content)) return [];
    const turns = [...conversation.turns, { role: 'assistant' as const, content }];
    return [{ row: index * n + i, conversation: { ...conversation, turns }, conversationId, requested: label }];
  });
}

async function rate(rater: Rater, replies: { conversation: Conversation }[], signal: AbortSignal) {
  if (replies.length === 0) return [];
  return await patiently(signal, () =>
    rater.score(
      replies.map(({ conversation }) => conversation),
      signal,
    ),
  );
}

/** Replies read at once. */
const pageRows = 500;

/** What was sampled, in order. */
async function* readReplies(db: Db, jobId: string): AsyncGenerator<SampledReply> {
  for (let after = -1; ; ) {
    const page = await db
      .select()
      .from(batchResults)
      .where(and(eq(batchResults.jobId, jobId), gt(batchResults.row, after)))
      .orderBy(asc(batchResults.row))
      .limit(pageRows);
    for (const { line } of page) yield line as unknown as SampledReply;
    if (page.length < pageRows) return;
    after = page.at(-1)!.row;
  }
}

/** What was sampled as samples of a dataset, each attribute of the schema that the predictor rated a label of the reply. */
export async function* readDerived(
  db: Db,
  jobId: string,
  schema: AttributeSchema,
  { id: author, revision }: { id: string; revision: string },
): AsyncGenerator<DerivedSample> {
  for await (const { conversation, conversationId, obtained } of readReplies(db, jobId)) {
    const content = { kind: 'conversation' as const, conversation };
    const turn = conversation.turns.length - 1;
    const labels = schema.attributes.flatMap(({ name: attribute }) => {
      const rating = own(obtained, attribute);
      if (!rating) return [];
      const { value, probabilities, confidence } = rating;
      return [{ turn, attribute, value, probabilities, confidence, source: 'model' as const, author, revision }];
    });
    yield { sample: { content, conversationId, source: null, split: splitOf(conversationId) }, labels };
  }
}
