// A predictor folder as a Predictor: reads and encodes conversations on the caller's thread, scores them on an engine thread.
import { setImmediate } from 'node:timers/promises';
import { SteerError } from '../errors.ts';
import { groundReader, readGround } from '../model/ground.ts';
import { readModelCard, readShape, revisionOf } from '../model/model-folder.ts';
import { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import type { AttributeSchema } from '../steerlm/attributes.ts';
import { promptLayoutVersion } from '../steerlm/prompt-layout.ts';
import { builtEntry } from '../tensor/built-entry.ts';
import { EngineThread } from '../tensor/engine-thread.ts';
import { anyCaller } from '../turns.ts';
import { readScores } from './distribution.ts';
import type { ConversationScore, Predictor } from './predictor.ts';
import { type Reading, readConversation } from './readings.ts';
import type { ScoreEvent, ScorerData } from './scorer-thread.ts';
import type { ScoringCall } from './scoring-queue.ts';

export interface PredictorOptions {
  threads?: number;
  /** Scoring calls of one caller that may wait at once. */
  maxCalls?: number;
}

/** Loads a predictor. Throws invalid_model when the folder holds no whole predictor. */
export async function openPredictor(folder: string, { threads, maxCalls = 64 }: PredictorOptions = {}): Promise<Predictor> {
  const card = await readModelCard(folder);
  const schema = card.attributeSchema;
  if (card.kind !== 'predictor' || !schema) {
    throw new SteerError(
      'invalid_model',
      `Expected a predictor in ${folder}, found a ${card.kind} model. Train one with: steer train-predictor.`,
    );
  }
  if (card.promptLayoutVersion !== promptLayoutVersion) {
    throw new SteerError(
      'invalid_model',
      `${folder} was trained with prompt layout ${card.promptLayoutVersion}, this program writes ${promptLayoutVersion}.`,
    );
  }
  const { contextLength, vocabSize } = await readShape(folder);
  const tokenizer = await Tokenizer.open(folder, vocabSize);
  const revision = await revisionOf(folder);
  const ground = await readGround(folder);
  const groundOf = ground ? groundReader(ground) : undefined;
  const { reading_tokens: trainedOn } = card.recipe;
  const limit =
    typeof trainedOn === 'number' && Number.isInteger(trainedOn) && trainedOn >= 1
      ? Math.min(trainedOn, contextLength)
      : contextLength;
  const data: ScorerData = { folder, contextLength: limit, ...(threads === undefined ? {} : { threads }) };
  const thread = await EngineThread.start<null, ScoringCall, ScoreEvent>(
    builtEntry(import.meta.url, './scorer-thread.ts'),
    data,
    { maxCalls },
  );
  return {
    id: card.name,
    revision,
    schema,
    async score(conversations, signal, caller = anyCaller, onBegun = () => {}) {
      const readings = conversations.map((conversation, i) => {
        if (conversation.turns.at(-1)?.role !== 'assistant') {
          throw new SteerError(
            'invalid_request',
            `Expected conversation ${i} to end with an assistant turn, which is what is rated.`,
            {
              details: { param: 'messages' },
            },
          );
        }
        return readConversation(tokenizer, conversation, limit);
      });
      const call = { caller, sequences: readings.map(({ ids }) => ids) };
      for await (const events of thread.call(call, signal, caller)) {
        for (const event of events) {
          if (event === 'begun') onBegun();
          else {
            const scores: ConversationScore[] = [];
            for (const [i, row] of event.entries()) {
              const ground = groundOf?.(conversations[i]!.turns.at(-1)!.content);
              scores.push({ ...toScore(schema, readings[i]!, row), ground });
              // A long reply takes milliseconds, and there may be a thousand.
              if (groundOf) await setImmediate();
            }
            return scores;
          }
        }
      }
      throw new SteerError('internal_error', 'The predictor gave no answer.');
    },
    ...(groundOf && { groundOf }),
    dispose: () => thread.dispose(),
  };
}

function toScore(schema: AttributeSchema, { truncated, ids }: Reading, row: Float32Array): ConversationScore {
  return { attributes: readScores(schema, row), truncated, tokens: ids.length };
}
