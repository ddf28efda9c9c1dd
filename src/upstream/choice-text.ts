// One of a few texts, from an upstream that can only be bound to JSON: it is asked for an object that holds the choice, and the choice is taken out.
import type { ReplyReader } from './dialect.ts';
import { noChoice } from './faults.ts';

/** Tokens that the object takes beside the choice, spread over lines too. */
export const mostWrapping = 24;

export function choiceSchema(choices: readonly string[]): Record<string, unknown> {
  const properties = { choice: { type: 'string', enum: choices } };
  return { type: 'object', properties, required: ['choice'], additionalProperties: false };
}

/** Gives out the choice at the end, whole. */
export class ChoiceText implements ReplyReader {
  readonly stopped = false;
  readonly #choices: readonly string[];
  #told = '';
  text = '';

  constructor(choices: readonly string[]) {
    this.#choices = choices;
  }

  push(): string {
    return '';
  }

  pushText(text: string): string {
    this.#told += text;
    return '';
  }

  /** Nothing where the length cut the reply off. Throws not_ready for what is none of the choices. */
  finish(closed: boolean): string {
    const choice = this.#choices.find((each) => each === choiceIn(this.#told));
    if (choice === undefined && closed) throw noChoice(this.#told);
    this.text = choice ?? '';
    return this.text;
  }
}

/** Bare text counts too, as servers write it that know no schema. */
function choiceIn(told: string): unknown {
  try {
    const found: unknown = JSON.parse(told);
    return typeof found === 'object' && found !== null && 'choice' in found ? found.choice : found;
  } catch {
    return told.trim();
  }
}
