// The folder a report goes to, and its files: each written whole or not at all.
import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { SteerError, writingTo } from '../../errors.ts';
import { writeWhole } from '../../model/formats/json-file.ts';
import { makeFolder } from '../../private-files.ts';

/** Makes the folder, before hours are spent on what goes there. Throws invalid_config when it cannot be written to, `disk_full`. */
export async function openReportFolder(folder: string): Promise<void> {
  await writingIn(folder, async () => {
    makeFolder(folder);
    await access(folder, constants.W_OK);
  });
}

/** Writes the files, by name. Throws as openReportFolder does. */
export async function writeReport(folder: string, files: Record<string, string>): Promise<void> {
  await writingIn(folder, async () => {
    for (const [name, content] of Object.entries(files)) {
      await writeWhole(join(folder, name), async (file) => await file.writeFile(content));
    }
  });
}

async function writingIn(folder: string, write: () => Promise<void>): Promise<void> {
  try {
    await writingTo(folder, write);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (cause instanceof SteerError || code === undefined) throw cause;
    throw new SteerError('invalid_config', `The report cannot be written to ${folder} (${code}). Choose another folder: --out.`, {
      cause,
    });
  }
}
