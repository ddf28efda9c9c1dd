// The baseline a neural predictor has to beat: logistic regression on hashed tf-idf of one- and two-grams of the reply.
import { randomStream, shuffledOrder } from '../../random.ts';

interface SparseRow {
  indices: Uint32Array;
  values: Float32Array;
}

const buckets = 1 << 18;

function grams(text: string): string[] {
  const words = text.toLowerCase().match(/[\p{L}\p{N}']+|[!?]/gu) ?? [];
  return [...words, ...words.slice(1).map((word, i) => `${words[i]} ${word}`)];
}

function bucket(gram: string): number {
  let state = 0x811c9dc5;
  for (let i = 0; i < gram.length; i++) state = Math.imul(state ^ gram.charCodeAt(i), 0x01000193) >>> 0;
  return state % buckets;
}

/** Learns inverse document frequencies from `texts` and answers the unit-length tf-idf row of any text. */
function fitTfIdf(texts: readonly string[]): (text: string) => SparseRow {
  const documents = new Float64Array(buckets);
  for (const text of texts) for (const at of new Set(grams(text).map(bucket))) documents[at]!++;
  const idf = Float32Array.from(documents, (count) => Math.log((1 + texts.length) / (1 + count)) + 1);
  return (text) => {
    const counts = new Map<number, number>();
    for (const gram of grams(text)) counts.set(bucket(gram), (counts.get(bucket(gram)) ?? 0) + 1);
    const indices = Uint32Array.from(counts.keys());
    const values = Float32Array.from(indices, (at) => (1 + Math.log(counts.get(at)!)) * idf[at]!);
    const norm = Math.sqrt(values.reduce((total, value) => total + value * value, 0)) || 1;
    return { indices, values: values.map((value) => value / norm) };
  };
}

/** Trains on targets in [0, 1] (a rating divided by its highest level) and predicts the test texts. AdaGrad, fixed passes. */
export function ngramPredictions(train: { text: string; target: number }[], test: string[]): number[] {
  const vectorize = fitTfIdf(train.map(({ text }) => text));
  const rows = train.map(({ text }) => vectorize(text));
  const weights = new Float32Array(buckets);
  const history = new Float32Array(buckets).fill(1e-6);
  let bias = 0;
  const predict = ({ indices, values }: SparseRow): number => {
    let z = bias;
    indices.forEach((at, i) => {
      z += weights[at]! * values[i]!;
    });
    return 1 / (1 + Math.exp(-z));
  };
  const [rate, decay, passes] = [0.3, 1e-6, 4];
  for (let pass = 0; pass < passes; pass++) {
    for (const row of shuffledOrder(rows.length, randomStream('ngram', pass))) {
      const { indices, values } = rows[row]!;
      const error = predict(rows[row]!) - train[row]!.target;
      bias -= 0.01 * error;
      indices.forEach((at, i) => {
        const slope = error * values[i]! + decay * weights[at]!;
        history[at]! += slope * slope;
        weights[at]! -= (rate * slope) / Math.sqrt(history[at]!);
      });
    }
  }
  return test.map((text) => predict(vectorize(text)));
}
