// A model's own chat template: Jinja that a stranger wrote. It is rendered in a process of its own, within bounds, with place-holders where people's
// words stand. So no word of a caller reaches the template, and what stands between two place-holders is cut into control tokens and text here.
import { SteerError } from '../../errors.ts';
import { type TemplateLimits, TemplateProcess } from './template-process.ts';

export type TemplateRole = 'system' | 'user' | 'assistant';

/** Part of a prompt: a slot takes the content of the message at that place, without the white space that the template would strip. */
export type TemplatePart = { control: string } | { text: string } | Slot;
export type Slot = { slot: number; trimStart: boolean; trimEnd: boolean };

/** A token that stands outside of what texts are encoded to. */
export interface AddedToken {
  content: string;
  /** White space before or after it belongs to it. */
  lstrip?: boolean | undefined;
  rstrip?: boolean | undefined;
}

export interface TemplateSettings {
  /** Jinja. */
  source: string;
  /** Of the tokenizer, all of them. */
  tokens: readonly AddedToken[];
  /** Spellings by the names templates know, `bos_token` for one. */
  named: Readonly<Record<string, string>>;
}

const usualLimits: TemplateLimits = { mostMs: 1_000, mostLetters: 2 ** 20 };
/** Conversations of so many shapes are remembered. */
const mostRemembered = 256;
/** How long a prompt holds that tells the time. */
const datedForMs = 60_000;

/** White space of a kind that nobody writes in a template: where it is gone, the template strips. */
const pad = '\u2003';
const markOf = (place: number) => `${pad}\uE000${place}\uE001${pad}`;
const marks = /(\u2003?)\uE000(\d+)\uE001(\u2003?)/u;

/** The process of a template, which starts while what else a ChatTemplate needs is read. One that is never asked ends by itself. */
export function beginTemplate(source: string): TemplateProcess {
  const process = new TemplateProcess(source, usualLimits);
  process.begin();
  return process;
}

export class ChatTemplate {
  readonly #settings: TemplateSettings;
  readonly #process: TemplateProcess;
  readonly #cuts: RegExp;
  readonly #remembered = new Map<string, { parts: Promise<TemplatePart[]>; until: number }>();

  /** The process is that of the template, where it was begun before. */
  constructor(settings: TemplateSettings, limits = usualLimits, process = new TemplateProcess(settings.source, limits)) {
    this.#settings = settings;
    this.#process = process;
    const spellings = settings.tokens.map(({ content }) => content).toSorted((a, b) => b.length - a.length);
    this.#cuts = new RegExp(spellings.length > 0 ? `(${spellings.map(escaped).join('|')})` : '(?!)', 'u');
  }

  /**
   * The prompt that asks for the next reply to messages of these roles. Throws invalid_request where the template refuses them, fails, writes or takes
   * more than it may, or leaves one of them out.
   */
  layOut(roles: readonly TemplateRole[]): Promise<TemplatePart[]> {
    const key = roles.join();
    const known = this.#remembered.get(key);
    if (known && known.until > Date.now()) return known.parts;
    const parts = this.#render(roles);
    this.#remember(key, parts);
    return parts;
  }

  /** Spelling of the control token that ends a reply; undefined where none does. */
  async endOfReply(): Promise<string | undefined> {
    const parts = await this.layOut(['user', 'assistant', 'user']);
    const reply = parts.findIndex((part) => 'slot' in part && part.slot === 1);
    const end = parts.slice(reply + 1).find((part) => !('text' in part && part.text.trim() === ''));
    return end && 'control' in end ? end.control : undefined;
  }

  #remember(key: string, parts: Promise<TemplatePart[]>): void {
    this.#remembered.delete(key);
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size >= mostRemembered && oldest !== undefined) this.#remembered.delete(oldest);
    const dated = /strftime_now/.test(this.#settings.source);
    this.#remembered.set(key, { parts, until: dated ? Date.now() + datedForMs : Number.POSITIVE_INFINITY });
    // What failed may have failed for want of time.
    parts.catch(() => this.#remembered.delete(key));
  }

  async #render(roles: readonly TemplateRole[]): Promise<TemplatePart[]> {
    const messages = roles.map((role, place) => ({ role, content: markOf(place) }));
    const variables = {
      ...this.#settings.named,
      messages,
      add_generation_prompt: true,
      enable_thinking: false,
      tools: null,
      documents: null,
    };
    const rendered = await this.#process.render(variables);
    if ('failure' in rendered) {
      throw refused(`${rendered.failure}${this.#lineOf(rendered.failure)}`, rendered.beyond ? 'model' : 'messages');
    }
    const parts = this.#cut(rendered.text);
    if (parts.some((part) => 'slot' in part && part.slot >= roles.length)) throw refused('it tells a message that is not there');
    const missing = roles.findIndex((_, place) => !parts.some((part) => 'slot' in part && part.slot === place));
    if (missing >= 0) throw refused(`it leaves out a ${roles[missing]} message`);
    return parts;
  }

  /** Where the template says what it refused with. */
  #lineOf(failure: string): string {
    const line = this.#settings.source.split('\n').findIndex((text) => failure !== '' && text.includes(failure));
    return line < 0 ? '' : ` (line ${line + 1} of the template)`;
  }

  #cut(rendered: string): TemplatePart[] {
    const pieces = rendered.split(marks);
    const parts: TemplatePart[] = [];
    for (let i = 0; i < pieces.length; i += 4) {
      const [text, before, place, after] = pieces.slice(i, i + 4);
      for (const [at, piece] of text!.split(this.#cuts).entries()) {
        if (piece !== '') parts.push(at % 2 === 1 ? { control: piece } : { text: piece });
      }
      if (place !== undefined) parts.push({ slot: Number(place), trimStart: before === '', trimEnd: after === '' });
    }
    return stripped(parts, this.#settings.tokens);
  }
}

/** The parts with the messages' contents in their slots. */
export function fillParts(
  parts: readonly TemplatePart[],
  messages: readonly { content: string }[],
): ({ control: string } | { text: string })[] {
  return parts.map((part) => {
    return 'slot' in part ? { text: stripOf(messages[part.slot]!.content, part.trimStart, part.trimEnd) } : part;
  });
}

/** White space that belongs to a token before or after it is gone, however many parts it goes through. */
function stripped(parts: readonly TemplatePart[], tokens: readonly AddedToken[]): TemplatePart[] {
  const bySpelling = new Map(tokens.map((token) => [token.content, token]));
  const eats = (spelling: string, side: 'lstrip' | 'rstrip') => bySpelling.get(spelling)?.[side] ?? false;
  const pass = (some: readonly TemplatePart[], side: 'lstrip' | 'rstrip') => {
    let eating = false;
    return some.map((part): TemplatePart => {
      if ('control' in part) eating = eats(part.control, side);
      else if (eating && 'text' in part) {
        const text = stripOf(part.text, side === 'rstrip', side === 'lstrip');
        eating = text === '';
        return { text };
      } else if (eating && 'slot' in part) {
        eating = false;
        return { ...part, ...(side === 'rstrip' ? { trimStart: true } : { trimEnd: true }) };
      }
      return part;
    });
  };
  return pass(pass(parts, 'rstrip').toReversed(), 'lstrip').toReversed();
}

/** Python counts four separators of ASCII as white space that Unicode does not. */
const isSpace = (letter: string) => /\p{White_Space}/u.test(letter) || (letter >= '\x1c' && letter <= '\x1f');

/** Without the white space at its ends, as Python's str.strip takes it. */
function stripOf(text: string, start: boolean, end: boolean): string {
  let [from, to] = [0, text.length];
  while (start && from < to && isSpace(text[from]!)) from++;
  while (end && to > from && isSpace(text[to - 1]!)) to--;
  return text.slice(from, to);
}

/** `model`: whatever the messages are, the template is at fault. */
function refused(why: string, param: 'messages' | 'model' = 'messages'): SteerError {
  return new SteerError('invalid_request', `The chat template of this model refuses the messages: ${why}.`, {
    details: { param },
  });
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
