// How a reply is drawn where nobody says: first what the caller asks, then what the model's generation_config.json says, then what changes nothing.
import type { LanguageModel } from './language-model.ts';

/** What may be left to the model. */
export interface DrawingSettings {
  temperature: number;
  topP: number;
  topK: number;
  minP: number;
  repetitionPenalty: number;
  frequencyPenalty: number;
}

type Asked = { [Setting in keyof DrawingSettings]?: number | null | undefined };

const neutral: DrawingSettings = { temperature: 1, topP: 1, topK: 0, minP: 0, repetitionPenalty: 1, frequencyPenalty: 0 };

/** Each setting as asked, else the model's own, else neutral. A topP of 0 leaves the likeliest token alone, as in OpenAI's protocol. */
export function settleDrawing({ sampling = {} }: Pick<LanguageModel, 'sampling'>, asked: Asked): DrawingSettings {
  const of = (name: keyof DrawingSettings) => asked[name] ?? sampling[name] ?? neutral[name];
  const topP = of('topP');
  return {
    temperature: of('temperature'),
    topP: topP === 0 ? 1 : topP,
    topK: topP === 0 ? 1 : Math.max(0, of('topK')),
    minP: of('minP'),
    repetitionPenalty: of('repetitionPenalty'),
    frequencyPenalty: of('frequencyPenalty'),
  };
}
