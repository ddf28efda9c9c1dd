// steer openapi: the document of the HTTP interface, made from its routes.
import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { readConfig } from '../config.ts';
import { SteerError } from '../errors.ts';
import { createApp } from '../http/app.ts';
import { createLog } from '../http/log.ts';
import { describeApi } from '../http/openapi.ts';
import type { Models } from '../registry/models.ts';

/** Routes are described without a model. */
const noModels: Models = {
  list: () => [],
  folderOf: () => '',
  language: refuse,
  predictor: refuse,
  ready: () => false,
  refresh: async () => {},
  load: refuse,
  unload: () => {},
  report: refuse,
  aliases: () => new Map(),
  setAlias: refuse,
  removeAlias: refuse,
};

/** The command. */
export function openapiCommand(): Command {
  return new Command('openapi')
    .summary('write the OpenAPI document')
    .description('Writes the OpenAPI document of the HTTP interface to standard output or a file.')
    .option('--out <file>', 'file to write')
    .addHelpText('after', '\nExample:\n  steer openapi --out openapi/openapi.json')
    .action(async ({ out }: { out?: string }) => {
      const app = createApp({ models: noModels, config: readConfig({}), log: createLog('silent') });
      const text = `${JSON.stringify(describeApi(app), null, 2)}\n`;
      if (out === undefined) process.stdout.write(text);
      else await writeFile(out, text);
    });
}

async function refuse(): Promise<never> {
  throw new SteerError('not_ready', 'No model is served here.');
}
