// What a model thinks before it answers, told apart from the answer. Models that reason do so between <think> and </think>, at the head of the reply;
// some templates write the first of the two themselves.
import type { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import type { CompletionEvent, CompletionRequest, TokenLikelihood } from './language-model.ts';
import { overlap } from './reply-text.ts';

/** Tokens by which reasoning is marked. */
const thinkMarks = { open: '<think>', close: '</think>' } as const;

/** A part of a reply, each '' where nothing of it is certain yet. */
interface Parts {
  reasoning: string;
  text: string;
}

/** One reply, told apart as it comes. */
export class ReasoningSplit {
  #state: 'start' | 'thinking' | 'turning' | 'answering';
  #held = '';

  /** `opened`: the prompt ends amid reasoning. */
  constructor(opened: boolean) {
    this.#state = opened ? 'thinking' : 'start';
  }

  /** undecided: it may yet turn out to be reasoning. */
  get saying(): 'undecided' | 'reasoning' | 'answer' {
    if (this.#state === 'start') return 'undecided';
    return this.#state === 'answering' ? 'answer' : 'reasoning';
  }

  push(text: string): Parts {
    this.#held += text;
    const parts = { reasoning: '', text: '' };
    if (this.#state === 'start') this.#begin();
    if (this.#state === 'thinking') parts.reasoning = this.#think();
    if (this.#state === 'turning') this.#turn();
    if (this.#state === 'answering') parts.text = this.#take(this.#held.length);
    return parts;
  }

  /** What is left: a reply that began like a mark and is none, or reasoning that never ended. */
  finish(): Parts {
    const rest = this.#take(this.#held.length);
    if (this.#state === 'start') return { reasoning: '', text: rest };
    return this.#state === 'thinking' ? { reasoning: rest, text: '' } : { reasoning: '', text: '' };
  }

  #begin(): void {
    const said = this.#held.trimStart();
    if (said.startsWith(thinkMarks.open)) {
      this.#held = said.slice(thinkMarks.open.length);
      this.#state = 'thinking';
    } else if (!thinkMarks.open.startsWith(said)) this.#state = 'answering';
  }

  #think(): string {
    const end = this.#held.indexOf(thinkMarks.close);
    if (end < 0) return this.#take(this.#held.length - overlap(this.#held, thinkMarks.close));
    const reasoning = this.#take(end);
    this.#take(thinkMarks.close.length);
    this.#state = 'turning';
    return reasoning;
  }

  /** White space between the two belongs to neither. */
  #turn(): void {
    this.#held = this.#held.trimStart();
    if (this.#held !== '') this.#state = 'answering';
  }

  #take(length: number): string {
    const taken = this.#held.slice(0, length);
    this.#held = this.#held.slice(length);
    return taken;
  }
}

/** The same where the tokenizer knows the marks, unless the prompt is a text to go on with. */
export function splitMarked(
  events: AsyncIterable<CompletionEvent>,
  tokenizer: Pick<Tokenizer, 'tokenId' | 'decode'>,
  { raw, prompt }: Pick<CompletionRequest, 'raw' | 'prompt'>,
): AsyncIterable<CompletionEvent> {
  const reasons = !raw && tokenizer.tokenId(thinkMarks.close) !== undefined;
  return reasons ? splitReasoning(events, endsAmidReasoning(tokenizer, prompt)) : events;
}

/** White space aside, the last the prompt says is that the model thinks. */
function endsAmidReasoning(tokenizer: Pick<Tokenizer, 'tokenId' | 'decode'>, prompt: readonly number[]): boolean {
  const last = prompt.lastIndexOf(tokenizer.tokenId(thinkMarks.open) ?? -1);
  return last >= 0 && tokenizer.decode(prompt.slice(last + 1)).trim() === '';
}

/** The events with reasoning told as such, that of an upstream which tells it apart already among it. What is likely is told of tokens of the answer alone. */
export async function* splitReasoning(events: AsyncIterable<CompletionEvent>, opened: boolean): AsyncGenerator<CompletionEvent> {
  const replies = new Map<number, { split: ReasoningSplit; told: Parts; tokens: TokenLikelihood[] }>();
  for await (const event of events) {
    const { index } = event;
    const reply = replies.get(index) ?? { split: new ReasoningSplit(opened), told: { reasoning: '', text: '' }, tokens: [] };
    replies.set(index, reply);
    const parts = event.kind === 'delta' ? reply.split.push(event.text) : reply.split.finish();
    if (event.kind === 'delta' && event.reasoning) parts.reasoning = event.reasoning + parts.reasoning;
    reply.told.reasoning += parts.reasoning;
    reply.told.text += parts.text;
    if (event.kind === 'delta') reply.tokens.push(...(event.tokens ?? []));
    if (reply.split.saying === 'reasoning') reply.tokens = [];
    const answers = parts.text !== '' || (reply.split.saying === 'answer' && reply.tokens.length > 0);
    if (answers || parts.reasoning !== '') {
      yield {
        kind: 'delta',
        index,
        text: parts.text,
        ...(parts.reasoning === '' ? {} : { reasoning: parts.reasoning }),
        ...(answers && reply.tokens.length > 0 ? { tokens: reply.tokens } : {}),
      };
      if (answers) reply.tokens = [];
    }
    if (event.kind === 'end') {
      const { reasoning, text } = reply.told;
      yield { ...event, text, ...(reasoning === '' ? {} : { reasoning }) };
    }
  }
}
