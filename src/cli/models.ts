// steer models: every model that can be named, with what one has to know to choose among them.
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { methodOf } from '../generation/steered-prompt.ts';
import { vectorsName } from '../model/vectors/kept-vectors.ts';
import { pulledFolder, readPulled } from '../pulling/pulled.ts';
import { ModelRegistry } from '../registry/model-registry.ts';
import type { ModelCard } from '../registry/models.ts';
import { isUpstream, readUpstreamSettings } from '../upstream/settings.ts';
import { megabytes } from './progress.ts';
import { note, type Surroundings, say } from './surroundings.ts';
import { formatTable } from './table.ts';

const heads = ['model', 'kind', 'size', 'context', 'licence', 'attributes', 'default'];

/** The command. */
export function modelsCommand({ config }: Surroundings): Command {
  return new Command('models')
    .summary('list the models')
    .description(
      'Lists the models of MODELS_DIR and those that were pulled: kind, size of the weights on disk, context in tokens, licence (– where nothing here says so), how\n' +
        'attributes reach the model (label: it was trained on them; instruction: in words), and which one is the default.',
    )
    .addHelpText('after', '\nExample:\n  steer models')
    .action(async () => {
      const { modelsDir, dataDir } = config();
      const registry = await ModelRegistry.open(modelsDir, {
        pulledDir: pulledFolder(dataDir),
        onBroken: (folder, reason) => note(`warning: ${folder} is passed over: ${reason}`),
      });
      const rows = await Promise.all(registry.list().map((card) => rowOf(card, registry.folderOf(card.id))));
      await registry.dispose();
      say(rows.length === 0 ? 'There are no models. steer pull smollm2-135m fetches one.' : formatTable(heads, rows));
    });
}

/** Where nothing is known, or there is nothing. */
const none = '–';

async function rowOf(card: ModelCard, folder: string): Promise<string[]> {
  const { id, kind, contextLength, aliases } = card;
  const pulled = await readPulled(folder).catch(() => null);
  const upstream = (await isUpstream(folder)) ? await readUpstreamSettings(folder) : undefined;
  // Of a model that is asked by messages only its upstream knows more.
  const context = upstream?.protocol === 'chat' ? upstream.contextLength : contextLength;
  return [
    id,
    kind,
    upstream ? none : megabytes(await weightBytes(folder)),
    context === undefined ? none : String(context),
    pulled?.licence ?? none,
    kind === 'predictor' || methodOf(card) === 'none' ? none : methodOf(card),
    aliases.includes('default') ? 'yes' : '',
  ];
}

async function weightBytes(folder: string): Promise<number> {
  const names = (await readdir(folder)).filter((name) => name !== vectorsName && /\.(safetensors|gguf)$/i.test(name));
  const sizes = await Promise.all(names.map((name) => stat(join(folder, name))));
  return sizes.reduce((sum, { size }) => sum + size, 0);
}
