// Replies of a model to questions, level by level of one attribute, and how closely a rule finds them follow.
import { settleDrawing } from '../../src/generation/drawing-defaults.ts';
import type { CompletionRequest, LanguageModel } from '../../src/generation/language-model.ts';
import { type LabelledPrompt, labelPrompt, type SteeringMethod } from '../../src/generation/steered-prompt.ts';
import { bootstrap, type Interval, mean, spearman } from '../../src/statistics.ts';
import type { Conversation } from '../../src/steerlm/conversation.ts';

export interface SweepOptions {
  method: SteeringMethod;
  maxTokens: number;
  /** Above 1 pushes replies away from the neutral wording. */
  strength?: number;
}

export interface SweptReply {
  question: number;
  level: number;
  text: string;
}

export const levels = [0, 1, 2, 3, 4];

/** Written at once. */
const streams = 16;

/** Every question at every level, each pair under a seed of its own. */
export async function sweep(
  model: LanguageModel,
  questions: readonly string[],
  attribute: string,
  { method, maxTokens, strength = 1 }: SweepOptions,
): Promise<SweptReply[]> {
  const asked = questions.flatMap((text, question) => levels.map((level) => ({ text, question, level })));
  const replies: SweptReply[] = [];
  const write = async () => {
    for (let next = asked.shift(); next; next = asked.shift()) {
      const { text, question, level } = next;
      const conversation: Conversation = { system: '', turns: [{ role: 'user', content: text }] };
      const label = method === 'none' ? {} : { [attribute]: level };
      const { tokenIds: prompt, phases } = await labelPrompt(model, conversation, [label], { method, strength });
      replies.push({ question, level, text: await reply(model, { prompt, phases, maxTokens, seed: question * 8 + level }) });
    }
  };
  await Promise.all(Array.from({ length: streams }, write));
  return replies;
}

/** One reply, drawn as its maker recommends. */
export async function reply(
  model: LanguageModel,
  asked: Pick<CompletionRequest, 'prompt' | 'maxTokens' | 'seed'> & Pick<LabelledPrompt, 'phases'>,
): Promise<string> {
  const request: CompletionRequest = { ...asked, ...settleDrawing(model, {}), stop: [], n: 1, priority: 'batch' };
  for await (const event of model.complete(request, new AbortController().signal)) if (event.kind === 'end') return event.text;
  throw new Error('The model ended without a reply.');
}

export interface Followed {
  /** Mean over questions of the rank correlation of level and what the rule counts; an interval from drawing questions. */
  rho: Interval;
  /** Mean of what the rule counts, by level. */
  means: number[];
}

export function followed(replies: readonly SweptReply[], rule: (text: string) => number): Followed {
  const questions = [...new Set(replies.map(({ question }) => question))].map((question) => {
    const own = replies.filter((each) => each.question === question);
    return spearman(
      own.map(({ level }) => level),
      own.map(({ text }) => rule(text)),
    );
  });
  const { rho } = bootstrap(questions, (drawn) => ({ rho: mean(drawn) }));
  return {
    rho,
    means: levels.map((level) => mean(replies.filter((each) => each.level === level).map(({ text }) => rule(text)))),
  };
}
