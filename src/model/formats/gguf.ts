// A model's folder as one GGUF file, which llama.cpp and what is built on it read: shape, tokenizer, chat template, card and weights.
import { SteerError } from '../../errors.ts';
import { controlTokens } from '../../steerlm/prompt-layout.ts';
import { cardName, type ModelCard, readEndTokens, readModelCard, readShape, refusePredictor } from '../model-folder.ts';
import { type LlamaShape, type ModelType, parameterShapes, ropeFrequencies } from '../shape.ts';
import { Tokenizer } from '../tokenizer/tokenizer.ts';
import { openWeights, type Weights } from '../weights.ts';
import { families, ggufName, isPaired, pairedRow } from './gguf-families.ts';
import { readModelFile } from './gguf-folder.ts';
import { type GgufTensor, type GgufType, type GgufValue, writeGgufFile } from './gguf-format.ts';
import { ggufTokenizer } from './gguf-tokenizer.ts';

export type { GgufType } from './gguf-format.ts';

/** llama.cpp's own name of an architecture that is written; Mistral is a Llama there. */
const architectures: Partial<Record<ModelType, string>> = { llama: 'llama', mistral: 'llama', qwen2: 'qwen2', qwen3: 'qwen3' };
const fileTypes: Record<GgufType, number> = { f32: 0, f16: 1, bf16: 32 };

/** Writes the model of `folder` to `path`, matrices in `type`, norms and biases in full. Throws invalid_model for what llama.cpp cannot run. */
export async function exportGguf(folder: string, path: string, type: GgufType): Promise<void> {
  const card = await readModelCard(folder);
  const shape = await readShape(folder);
  refuseUnfit(folder, card, shape);
  const tokenizer = await Tokenizer.open(folder, shape.vocabSize);
  const turn = card.kind === 'steered' ? tokenizer.tokenId(controlTokens.turn) : undefined;
  const ends = [...(turn === undefined ? [] : [turn]), ...(await readEndTokens(folder))];
  const values = new Map<string, GgufValue>([
    ...shapeValues(shape, card.name, type),
    ...ggufTokenizer(tokenizer.toJson(), shape.vocabSize, ends),
  ]);
  const template = tokenizer.chatTemplate;
  if (template !== undefined) values.set('tokenizer.chat_template', { string: template });
  const written = await readModelFile(folder, cardName);
  if (written) values.set('steerlm.card', { string: `${JSON.stringify(written.content, null, 2)}\n` });
  const weights = await openWeights(folder, shape);
  try {
    await writeGgufFile(path, values, tensorsOf(shape, weights, type));
  } finally {
    await weights.close();
  }
}

function refuseUnfit(folder: string, card: ModelCard, shape: LlamaShape): void {
  refusePredictor(folder, card);
  if (architectures[shape.modelType] === undefined) {
    const written = Object.keys(architectures).join(', ');
    throw new SteerError(
      'invalid_model',
      `${folder}: expected one of ${written}, found ${shape.modelType}, which is not written as GGUF. Convert its safetensors with llama.cpp.`,
    );
  }
  if (shape.ropeScaling && architectures[shape.modelType] !== 'llama') {
    throw new SteerError(
      'invalid_model',
      `${folder}: llama.cpp stretches rotary frequencies of Llama models only, this is a ${shape.modelType}. Serve it from its safetensors.`,
    );
  }
}

function shapeValues(shape: LlamaShape, name: string, type: GgufType): Map<string, GgufValue> {
  const architecture = architectures[shape.modelType]!;
  const own: Record<string, GgufValue> = {
    context_length: { uint32: shape.contextLength },
    embedding_length: { uint32: shape.hiddenSize },
    block_count: { uint32: shape.layers },
    feed_forward_length: { uint32: shape.intermediateSize },
    vocab_size: { uint32: shape.vocabSize },
    'attention.head_count': { uint32: shape.heads },
    'attention.head_count_kv': { uint32: shape.kvHeads },
    'attention.key_length': { uint32: shape.headDim },
    'attention.value_length': { uint32: shape.headDim },
    'attention.layer_norm_rms_epsilon': { float32: shape.normEpsilon },
    'rope.dimension_count': { uint32: shape.headDim },
    'rope.freq_base': { float32: shape.ropeTheta },
  };
  return new Map<string, GgufValue>([
    ['general.architecture', { string: architecture }],
    ['general.name', { string: name }],
    ['general.file_type', { uint32: fileTypes[type] }],
    ...Object.entries(own).map(([key, value]): [string, GgufValue] => [`${architecture}.${key}`, value]),
  ]);
}

function tensorsOf(shape: LlamaShape, weights: Weights, type: GgufType): Map<string, GgufTensor> {
  const tensors = new Map<string, GgufTensor>();
  const family = families[architectures[shape.modelType]!]!;
  for (const [name, dims] of parameterShapes(shape)) {
    const read = async () => {
      const values = await weights.read(name);
      return isPaired(name, family) ? pairRows(values, shape.headDim, dims[1]!) : values;
    };
    tensors.set(ggufName(name, family)!, { shape: dims, type: dims.length === 1 ? 'f32' : type, read });
  }
  if (shape.ropeScaling) {
    tensors.set('rope_freqs.weight', { shape: [shape.headDim / 2], type: 'f32', read: async () => ropeDivisors(shape) });
  }
  return tensors;
}

/** Rows of each head so that the two of a rotary pair lie side by side, where Hugging Face has them half a head apart. */
function pairRows(values: Float32Array, headDim: number, columns: number): Float32Array {
  const paired = new Float32Array(values.length);
  for (let row = 0; row < values.length / columns; row++) {
    paired.set(values.subarray(row * columns, (row + 1) * columns), pairedRow(row, headDim) * columns);
  }
  return paired;
}

/** What each frequency is divided by. */
function ropeDivisors(shape: LlamaShape): Float32Array {
  const stretched = ropeFrequencies(shape);
  return Float32Array.from(ropeFrequencies({ ...shape, ropeScaling: null }), (plain, i) => plain / stretched[i]!);
}
