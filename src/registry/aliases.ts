// Names people give to models, kept in the database so that every process of it knows them, and told of when one changes. Queries only.

import { eq } from 'drizzle-orm';
import { SteerError } from '../errors.ts';
import type { Db } from '../store/connect.ts';
import { giveNotice } from '../store/notices.ts';
import { modelAliases } from '../store/work-schema.ts';

/** Model by alias. */
export async function readAliases(db: Db): Promise<Map<string, string>> {
  const rows = await db.select().from(modelAliases);
  return new Map(rows.map(({ alias, model }) => [alias, model]));
}

/** Lets the alias mean the model from now on. */
export async function writeAlias(db: Db, alias: string, model: string): Promise<void> {
  const updatedAt = new Date();
  await db.transaction(async (tx) => {
    await tx
      .insert(modelAliases)
      .values({ alias, model, updatedAt })
      .onConflictDoUpdate({ target: modelAliases.alias, set: { model, updatedAt } });
    await giveNotice(tx, 'steer_aliases');
  });
}

/** Forgets the alias; false when there was none. */
export async function removeAlias(db: Db, alias: string): Promise<boolean> {
  return await db.transaction(async (tx) => {
    const removed = await tx.delete(modelAliases).where(eq(modelAliases.alias, alias)).returning();
    if (removed.length > 0) await giveNotice(tx, 'steer_aliases');
    return removed.length > 0;
  });
}

const aliasForm = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;

/** Throws invalid_request for what is no alias and conflict for the name of a model. */
export function checkAlias(alias: string, models: readonly string[]): void {
  const details = { param: 'alias' };
  if (!aliasForm.test(alias)) {
    throw new SteerError('invalid_request', 'alias: expected letters, digits, dots, colons, dashes and underscores.', {
      details,
    });
  }
  if (models.includes(alias))
    throw new SteerError('conflict', `${alias} is the name of a model, which no alias can take.`, { details });
}

/** Throws invalid_request where `default` is to mean what writes nothing. */
export function checkMeaning(alias: string, { id, kind }: { id: string; kind: string }): void {
  if (alias !== 'default' || kind === 'language') return;
  const message = `model: expected a language model as default, ${id} is a predictor.`;
  throw new SteerError('invalid_request', message, { details: { param: 'model' } });
}
