// Which files of a repository, or of a folder, make a model that is read here.
import { basename } from 'node:path';
import { SteerError } from '../errors.ts';
import { nearestName } from '../nearest-name.ts';
import { printable } from './printable.ts';

/**
 * Kinds of GGUF files by preference. Weights are held as int8 here whatever the file has, so a Q8_0 loses nothing and one of fewer bits runs no
 * faster; kinds below are smaller and worse, kinds after them larger for nothing.
 */
const ggufKinds = ['Q8_0', 'Q6_K', 'Q5_K_M', 'Q5_K_S', 'Q4_K_M', 'Q4_K_S', 'Q5_1', 'Q5_0', 'Q4_1', 'Q4_0', 'BF16', 'F16', 'F32'];
/** Parts of one model in several files, and what lies beside models. */
const noModel = /-\d{5}-of-\d{5}\.gguf$|(^|[/_.-])(mmproj|imatrix)/i;
/** Beside config.json, tokenizer.json and the weights; taken where they are there. */
const beside =
  /^(generation_config|tokenizer_config|special_tokens_map|added_tokens|steerlm|model\.safetensors\.index)\.json$|^chat_template\.(jinja|json)$|^licen[cs]e(\.(md|txt))?$/i;

/** Of many files that are told. */
const mostNamed = 6;

/**
 * The paths to take: the one asked for, else the best GGUF, else a folder of safetensors with its small files first. Throws invalid_request telling what
 * was found.
 */
export function chooseFiles(where: string, paths: readonly string[], asked: string | null): string[] {
  if (asked !== null) return [askedFile(where, paths, asked)];
  const gguf = bestGguf(paths);
  if (gguf !== undefined) return [gguf];
  const weights = weightFiles(paths);
  if (weights.length > 0 && ['config.json', 'tokenizer.json'].every((name) => paths.includes(name))) {
    return ['config.json', 'tokenizer.json', ...paths.filter((path) => beside.test(path)), ...weights];
  }
  throw new SteerError(
    'invalid_request',
    `model: expected a .gguf file, or config.json, tokenizer.json and .safetensors, in ${where}; found ${census(paths)}.`,
    { details: { param: 'model' } },
  );
}

/** The names to take of a folder of this machine: nobody laid its files there for others to choose among. Throws invalid_request naming several .gguf. */
export function chooseOfFolder(where: string, names: readonly string[]): string[] {
  const ggufs = names.filter((name) => isGguf(name) && !noModel.test(name)).sort();
  if (ggufs.length <= 1) return chooseFiles(where, names, null);
  const told = printable(ggufs.slice(0, mostNamed).join(', '));
  throw new SteerError(
    'invalid_request',
    `model: expected one .gguf file in ${where}, found ${ggufs.length}: ${told}${ggufs.length > mostNamed ? ' and more' : ''}. Name the one that is meant.`,
    { details: { param: 'model' } },
  );
}

function askedFile(where: string, paths: readonly string[], asked: string): string {
  const found = paths.find((path) => path === asked) ?? paths.find((path) => path.toLowerCase() === asked.toLowerCase());
  const refused = (message: string) => new SteerError('invalid_request', `model: ${message}`, { details: { param: 'model' } });
  if (found === undefined) {
    const ggufs = paths.filter(isGguf);
    const near = nearestName(asked, ggufs) ?? ggufs[0];
    throw refused(
      `there is no file ${asked} in ${where}. ${near === undefined ? `Found ${census(paths)}.` : `There is ${near}.`}`,
    );
  }
  if (noModel.test(found))
    throw refused(`${found} is a part of a model or lies beside one; a model in one .gguf file is read here.`);
  if (!isGguf(found)) throw refused(`${found} is no .gguf file. Leave the file out, and what belongs together is taken.`);
  return found;
}

function isGguf(path: string): boolean {
  return /\.gguf$/i.test(path);
}

function bestGguf(paths: readonly string[]): string | undefined {
  const ggufs = paths.filter((path) => isGguf(path) && !noModel.test(path));
  for (const kind of ggufKinds) {
    const found = ggufs.find((path) => new RegExp(`(^|[._-])${kind}\\.gguf$`, 'i').test(basename(path)));
    if (found !== undefined) return found;
  }
  // One whose name says nothing; those of other kinds say so.
  const unsaid = ggufs.filter((path) => !/[._-](I?Q\d|TQ\d|MXFP)/i.test(basename(path)));
  return unsaid.length === 1 ? unsaid[0] : undefined;
}

/** One file, or the shards with numbers. */
function weightFiles(paths: readonly string[]): string[] {
  if (paths.includes('model.safetensors')) return ['model.safetensors'];
  return paths.filter((path) => /^model-\d{5}-of-\d{5}\.safetensors$/.test(path));
}

/** `3 .bin, 2 .json`, the commonest first. */
function census(paths: readonly string[]): string {
  if (paths.length === 0) return 'no files';
  const counts = new Map<string, number>();
  for (const path of paths) {
    const ending = /\.[^./]+$/.exec(path)?.[0] ?? 'without an ending';
    counts.set(ending, (counts.get(ending) ?? 0) + 1);
  }
  const told = [...counts].sort((a, b) => b[1] - a[1]).map(([ending, count]) => `${count} ${ending}`);
  return printable(told.slice(0, mostNamed).join(', '));
}
