// The formats of JSON Schema strings as patterns: all that the standard names. Each holds only texts of its format, though not all: no leap days, no IPv6
// in short.
const octet = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const label = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?';
const hostname = `${label}(?:\\.${label}){1,4}`;
const hex = (digits: number) => `[0-9a-f]{${digits}}`;
const day = [
  '(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])',
  '(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)',
  '02-(?:0[1-9]|1\\d|2[0-8])',
].join('|');
const date = `\\d{4}-(?:${day})`;
const clock = '(?:[01]\\d|2[0-3]):[0-5]\\d';
const time = `${clock}:[0-5]\\d(?:\\.\\d{1,6})?(?:Z|[+-]${clock})`;

const email = `[A-Za-z0-9_+-]{1,32}(?:\\.[A-Za-z0-9_+-]{1,32})?@${hostname}`;
const uri = `https?://${hostname}(?:/[A-Za-z0-9_-]{1,32}){0,8}/?`;
const pointer = '(?:/[A-Za-z0-9_-]{1,32}){0,8}';

export const formats: Readonly<Record<string, string>> = {
  date,
  time,
  'date-time': `${date}T${time}`,
  duration: 'P(?:\\d{1,4}W|\\d{1,4}D(?:T\\d{1,4}H)?|T\\d{1,4}[HMS])',
  email,
  'idn-email': email,
  hostname,
  'idn-hostname': hostname,
  ipv4: `${octet}(?:\\.${octet}){3}`,
  ipv6: `${hex(4)}(?::${hex(4)}){7}`,
  uri,
  iri: uri,
  'uri-reference': uri,
  'iri-reference': uri,
  'uri-template': uri,
  'json-pointer': pointer,
  'relative-json-pointer': `(?:0|[1-9]\\d{0,2})${pointer}`,
  regex: '[A-Za-z0-9 ]{1,64}',
  uuid: `${hex(8)}-${hex(4)}-${hex(4)}-${hex(4)}-${hex(12)}`,
};
