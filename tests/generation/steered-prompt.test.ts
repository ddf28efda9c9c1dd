// From what a caller asks to the prompts a reply is drawn from, on the shipped model's tokenizer and attributes.
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodePrompt, readModelText } from '../../src/generation/model-text.ts';
import { labelPrompt, type PromptModel, refuseMixture, steerPrompt } from '../../src/generation/steered-prompt.ts';
import { steeringVectors } from '../../src/model/vectors/kept-vectors.ts';
import { layOutPrompt } from '../../src/steerlm/prompt-layout.ts';
import { giveVectors, numbersFor, openScratch } from '../model/vectors/vector-files.ts';
import { writeTinyModel } from '../tiny-model.ts';

const conversation = { system: '', turns: [{ role: 'user' as const, content: 'Where is the market?' }] };
let model: PromptModel;

beforeAll(async () => {
  const { card, schema, tokenizer, contextLength } = await readModelText(
    fileURLToPath(new URL('../../models/npc', import.meta.url)),
  );
  const curves = { humor: [0, 1, 2, 3, 4].map((requested) => ({ requested, obtained: requested / 2, replies: 9 })) };
  model = {
    id: card.name,
    schema,
    curves,
    mixes: true,
    chat: 'labels',
    layOut: async (asked, label) => layOutPrompt(schema, asked, label),
    encode: (pieces) => encodePrompt(tokenizer, pieces, contextLength),
  };
});

const under = (label: Record<string, number>) => model.encode(layOutPrompt(model.schema, conversation, label));

describe('a label', () => {
  it('of whole levels is one prompt', async () => {
    expect(await labelPrompt(model, conversation, [{ humor: 3 }])).toEqual({
      pieces: layOutPrompt(model.schema, conversation, { humor: 3 }),
      tokenIds: under({ humor: 3 }),
    });
  });

  it('between levels is drawn from both', async () => {
    const { phases } = await labelPrompt(model, conversation, [{ humor: 2.25 }]);
    expect(phases).toEqual([
      {
        branches: [
          { prompt: under({ humor: 2 }), weight: 0.75 },
          { prompt: under({ humor: 3 }), weight: 0.25 },
        ],
      },
    ]);
  });

  it('at strength 0 is what it is pushed away from, and nothing of itself', async () => {
    const { phases } = await labelPrompt(model, conversation, [{ humor: 3 }], { strength: 0 });
    expect(phases).toEqual([{ branches: [{ prompt: under({}), weight: 1 }] }]);
  });
});

describe('steering vectors', () => {
  const at = openScratch();
  let tiny: PromptModel;
  beforeAll(async () => {
    const folder = at('tiny');
    await writeTinyModel(folder, { kind: 'steered', name: 'tiny' });
    await giveVectors(folder, { happy: await numbersFor(folder, 1, 1), sad: await numbersFor(folder, 2, 1) });
    tiny = { ...model, vectors: steeringVectors(folder, 'tiny') };
  });
  const sum = (weights: Record<string, number>) => tiny.vectors!.sum(weights);
  const write = (request: object) => steerPrompt(tiny, conversation, { attributes: {}, ...request });

  it('stand beside all prompts of a mixture, whatever pushes them', async () => {
    const vectors = { happy: 0.5 };
    for (const dials of [{}, { strength: 2 }, { attributes: { humor: 2.5 } }, { method: 'none' }]) {
      const [plain, under] = [await write(dials), await write({ ...dials, vectors })];
      const [phase, ...others] = under.phases!;
      const [before] = plain.phases ?? [{ branches: [{ prompt: plain.tokenIds, weight: 1 }] }];
      expect(phase).toEqual({ ...before, vectorSum: await sum(vectors) });
      expect([others, under.applied, under.tokenIds]).toEqual([[], plain.applied, plain.tokenIds]);
    }
  });

  it('are one array for all parts of a schedule that leave them as they are', async () => {
    const schedule = [
      { after: { tokens: 1 }, attributes: { humor: 0 } },
      { after: { tokens: 2 }, vectors: { happy: 1 } },
      { after: { tokens: 3 }, vectors: { sad: 0.5 }, attributes: { humor: 4 } },
      { after: { tokens: 4 }, vectors: { happy: 0, sad: 0 } },
    ];
    const { phases, vectors } = await write({ vectors: { happy: 1 }, schedule });
    const sums = phases!.map(({ vectorSum }) => vectorSum);
    const happy = await sum({ happy: 1 });
    expect(sums).toEqual([happy, happy, happy, await sum({ happy: 1, sad: 0.5 }), undefined]);
    expect(new Set(sums.slice(0, 3)).size).toBe(1);
    expect(vectors).toEqual({ weights: { happy: 1, sad: 0 }, tokens: 'reply', revision: expect.stringMatching(/^\w{8}$/) });
  });

  it('of no weight leave the plain prompt', async () => {
    expect(await write({ vectors: { happy: 0 } })).toEqual(await write({}));
  });
});

describe('words of the card', () => {
  const words = ['fool', 'shut it'];
  const careful = () => ({ ...model, badWords: { toxicity: { below: 0.5, words } } });
  const keptOut = async (attributes: Record<string, number | null>, more: object = {}) => {
    const { phases, badWords } = await steerPrompt(careful(), conversation, { attributes, ...more });
    return { byPhase: phases?.map((phase) => phase.badWords), badWords };
  };

  it('are kept out below their level, as a fraction too, and where that level is the default', async () => {
    for (const toxicity of [{ toxicity: 0 }, { rudeness: 0 }, { toxicity: 0.49 }, {}]) {
      expect(await keptOut(toxicity), JSON.stringify(toxicity)).toEqual({ byPhase: [words], badWords: words });
    }
    const { phases, tokenIds } = await steerPrompt(careful(), conversation, { attributes: {} });
    expect(phases).toEqual([{ branches: [{ prompt: tokenIds, weight: 1 }], badWords: words }]);
  });

  it('are not from there on, where the attribute is left open, or where nothing of the label is asked', async () => {
    for (const toxicity of [0.5, 1, 3, null]) expect((await keptOut({ toxicity })).badWords, `${toxicity}`).toEqual([]);
    expect((await keptOut({ toxicity: 3 })).byPhase).toBeUndefined();
    expect(await keptOut({ toxicity: 0 }, { strength: 0 })).toEqual({ byPhase: [undefined], badWords: [] });
    expect(await keptOut({ toxicity: 0 }, { method: 'none' })).toEqual({ byPhase: undefined, badWords: [] });
  });

  it('hold under every dial and method, and in each phase by what is asked there', async () => {
    for (const more of [{ strength: 2 }, { strength: 3, against: 'opposite' }, { method: 'instruction' }]) {
      expect(await keptOut({ toxicity: 0 }, more), JSON.stringify(more)).toEqual({ byPhase: [words], badWords: words });
    }
    const schedule = [2, 0].map((toxicity, i) => ({ after: { sentences: i + 1 }, attributes: { toxicity } }));
    expect((await keptOut({ toxicity: 1 }, { schedule })).byPhase).toEqual([undefined, undefined, words]);
  });
});

describe('a request', () => {
  it('tells names as the model has them, and changes on the way', async () => {
    const { requested, applied, phases } = await steerPrompt(model, conversation, {
      attributes: { humour: 4, creativity: null },
      schedule: [{ after: { sentences: 1 }, attributes: { funny: 0 } }],
    });
    expect(requested).toEqual({ humor: 4, creativity: null });
    expect(applied).toMatchObject({ humor: 4, verbosity: 2 });
    expect(applied).not.toHaveProperty('creativity');
    expect(phases).toEqual([
      { branches: [{ prompt: under(applied), weight: 1 }], until: { sentences: 1 } },
      { branches: [{ prompt: under({ ...applied, humor: 0 }), weight: 1 }] },
    ]);
  });

  it('that is calibrated asks for more, and is read at what was asked', async () => {
    const { applied, aim } = await steerPrompt(model, conversation, { attributes: { humor: 1 }, calibrated: true });
    expect(applied.humor).toBe(2);
    expect(aim.humor).toBe(1);
    await expect(steerPrompt(model, conversation, { attributes: { formality: 1 }, calibrated: true })).rejects.toThrow(
      /steering\.calibrated.*formality/,
    );
  });

  it('of a schedule that names no attribute says where', async () => {
    const schedule = [{ after: { tokens: 3 }, attributes: { sparkle: 1 } }];
    await expect(steerPrompt(model, conversation, { attributes: {}, schedule })).rejects.toThrow(
      expect.objectContaining({ details: { param: 'steering.schedule.0.attributes.sparkle' } }),
    );
  });
});

describe('a model that cannot mix', () => {
  const alone = { id: 'far', mixes: false };

  it.each([
    [
      { humor: 3, formality: 2.5 },
      {},
      'attributes.formality',
      /^formality 2\.5, between two levels, needs .* far runs on an upstream/,
    ],
    [{ humor: 2.6 }, { calibrated: true }, 'steering.calibrated', /steering\.calibrated asks for humor 2\.6/],
    [{ humor: 3 }, { strength: 0.5 }, 'steering.strength', /steering\.strength 0\.5/],
  ])('refuses %j with %j, naming what asks for it', (label, setting, param, message) => {
    const refused = expect.objectContaining({ message: expect.stringMatching(message), details: { param } });
    expect(() => refuseMixture(alone, label, setting)).toThrow(refused);
  });

  it('is asked for whole levels, or for nothing', () => {
    expect(() => refuseMixture(alone, { humor: 3 }, {})).not.toThrow();
    expect(() => refuseMixture(alone, { humor: 2.5 }, { strength: 0 })).not.toThrow();
    expect(() => refuseMixture({ ...alone, mixes: true }, { humor: 2.5 }, { strength: 2 })).not.toThrow();
  });
});
