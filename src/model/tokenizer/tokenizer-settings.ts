// What tokenizer_config.json and the post-processor of tokenizer.json say of how texts and conversations begin.
import { z } from 'zod';

/** What tokenizer_config.json holds. */
export type Settings = Record<string, unknown>;

const namedTemplates = z.array(z.object({ name: z.string(), template: z.string() }));
const namedToken = z.union([z.string(), z.looseObject({ content: z.string() })]);

/** Spellings of tokens by what they are for: `bos_token`, `eos_token` and what else the settings name. */
export function namedTokensIn(settings: Settings): Record<string, string> {
  const named = Object.entries(settings).flatMap(([name, value]) => {
    const token = name.endsWith('_token') ? namedToken.safeParse(value).data : undefined;
    return token === undefined ? [] : [[name, typeof token === 'string' ? token : token.content]];
  });
  return Object.fromEntries(named);
}

/** Jinja by which engines lay out a conversation, of several the one called default. */
export function templateIn({ chat_template: written }: Settings): string | undefined {
  const listed = namedTemplates.safeParse(written).data ?? [];
  const template = typeof written === 'string' ? written : listed.find(({ name }) => name === 'default')?.template;
  return template?.trim() === '' ? undefined : template;
}

/** Spellings of what stands before a text that begins a context; the settings win over the post-processor. */
export function beginningOf(settings: Settings, postProcessor: unknown): string[] {
  const { add_bos_token: adds } = settings;
  if (typeof adds !== 'boolean') return beginningIn(postProcessor);
  const { bos_token: bos } = namedTokensIn(settings);
  return adds && bos !== undefined ? [bos] : [];
}

const processor = z.looseObject({
  processors: z.array(z.unknown()).optional(),
  single: z.array(z.looseObject({ SpecialToken: z.looseObject({ id: z.string() }).optional() })).optional(),
});

/** What a post-processor puts before a text. */
function beginningIn(part: unknown): string[] {
  const { processors = [], single = [] } = processor.safeParse(part).data ?? {};
  const text = single.findIndex(({ SpecialToken: token }) => token === undefined);
  return [...processors.flatMap(beginningIn), ...single.slice(0, Math.max(0, text)).map(({ SpecialToken: token }) => token!.id)];
}
