// Writes the types of what the HTTP interface says, from its document, for the pages of the playground. `npm run types` begins with it, so that the
// file is never older than the document; nothing but the type checker reads it.
import { readFileSync, writeFileSync } from 'node:fs';
import { compile } from 'json-schema-to-typescript';

const folder = new URL('../openapi/', import.meta.url);
const text = readFileSync(new URL('openapi.json', folder), 'utf8').replaceAll('"#/components/schemas/', '"#/$defs/');
const { components } = JSON.parse(text);
const types = await compile({ $defs: components.schemas }, 'Document', {
  unreachableDefinitions: true,
  // What the document leaves out of an object is nothing to rely on, and lists of a length are lists here.
  additionalProperties: false,
  ignoreMinAndMaxItems: true,
  bannerComment: '// Written by bin/build-api-types.js.',
  format: false,
});
writeFileSync(new URL('schemas.d.ts', folder), types);
