// The prompt layout of steerlm/prompt-layout.ts as a chat template, for engines that render one: transformers, vLLM, llama.cpp. A caller there says
// `chat_template_kwargs: {"attributes": {"humor": 4}}`; a reply of the history may carry `attributes` of its own, where the engine keeps them.
import { type AttributeSchema, maxLevel } from '../../steerlm/attributes.ts';
import { controlTokens } from '../../steerlm/prompt-layout.ts';

/**
 * Jinja that renders a conversation under the schema's attributes: defaults, aliases, caps and rounding as applyAttributes and formatLabel have
 * them. Such engines look for special tokens in what they rendered, so `special`, the spellings of them all, are broken up in what people wrote.
 */
export function chatTemplate(schema: AttributeSchema, special: readonly string[]): string {
  const scale = schema.attributes.map((attribute) => {
    const { name, aliases, cap } = attribute;
    const spellings = [name, ...aliases].map((spelling) => spelling.toLowerCase());
    return `[${[name, spellings, attribute.default, cap, maxLevel(attribute)].map(literal).join(', ')}]`;
  });
  const spoken = `content | trim${guards(special)}`;
  return [
    `{%- set scale = [${scale.join(', ')}] -%}`,
    known,
    labelMacro,
    contentMacro,
    '{%- set state = namespace(system="", turns=false, replied=false, last="") -%}',
    opening,
    `{{- ${literal(`${controlTokens.system}System\n`)} -}}`,
    `{%- set content = state.system -%}{{- ${spoken} -}}{{- "\\n" -}}`,
    '{%- for message in messages -%}{%- if message.role == "user" or message.role == "assistant" -%}',
    `{{- ${literal(controlTokens.turn)} + ("Assistant" if message.role == "assistant" else "User") + "\\n" -}}`,
    '{%- if message.role == "assistant" and message.attributes -%}{{- label(message.attributes, false) -}}{%- endif -%}',
    `{%- set content = written(message) -%}{{- ${spoken} -}}{{- "\\n" -}}`,
    '{%- endif -%}{%- endfor -%}',
    `{%- if state.last == "assistant" or add_generation_prompt -%}{{- ${literal(controlTokens.turn)} -}}{%- endif -%}`,
    '{%- if add_generation_prompt -%}{{- "Assistant\\n" -}}{{- label(attributes or {}, true) -}}{%- endif -%}',
  ].join('\n');
}

/** A name of no attribute is refused, as our server refuses it. */
const known = `{%- for name in (attributes or {}) -%}
{%- set found = namespace(it=false) -%}
{%- for row in scale -%}{%- if name | lower in row[1] -%}{%- set found.it = true -%}{%- endif -%}{%- endfor -%}
{%- if not found.it -%}{{- raise_exception("Unknown attribute " + name) -}}{%- endif -%}
{%- endfor -%}`;

/** A request (\`asking\`) takes defaults and caps; the label of a reply that was made says what it says. Halves round up. */
const labelMacro = `{%- macro label(given, asking) -%}
{%- set line = namespace(text="") -%}
{%- for row in scale -%}
{%- set value = namespace(it=row[2] if asking else none) -%}
{%- for name, level in given.items() -%}{%- if name | lower in row[1] -%}{%- set value.it = level -%}{%- endif -%}{%- endfor -%}
{%- if value.it is not none -%}
{%- set most = row[3] if asking else row[4] -%}
{%- set level = most if value.it > most else (0 if value.it < 0 else value.it) -%}
{%- set line.text = line.text + ("," if line.text else "") + row[0] + ":" + ((level + 0.5) | int | string) -%}
{%- endif -%}
{%- endfor -%}
{%- if line.text -%}{{- ${literal(controlTokens.label)} + line.text + "\\n" -}}{%- endif -%}
{%- endmacro -%}`;

/** Text, or parts of which each is text, with nothing between them. What our server refuses of a message is refused here too, or it would be lost. */
const contentMacro = `{%- macro written(message) -%}
{%- if message.tool_calls or message.function_call -%}{{- raise_exception("Calls of tools are not supported") -}}{%- endif -%}
{%- if message.content is string -%}{{- message.content -}}
{%- else -%}{%- for part in message.content or [] -%}
{%- if part.text is not string -%}{{- raise_exception("Expected parts of text") -}}{%- endif -%}
{{- part.text -}}{%- endfor -%}{%- endif -%}
{%- endmacro -%}`;

const opening = `{%- for message in messages -%}
{%- if message.role == "system" or message.role == "developer" -%}
{%- if state.turns -%}{{- raise_exception("A system message stands after the first turn") -}}{%- endif -%}
{%- set state.system = state.system + ("\\n\\n" if state.system else "") + written(message) -%}
{%- elif message.role == "user" or message.role == "assistant" -%}
{%- set state.turns = true -%}{%- set state.last = message.role -%}
{%- else -%}{{- raise_exception("Unknown role " + message.role) -}}
{%- endif -%}
{%- endfor -%}`;

/** Filters that put a space into whatever would be read as a special token; kinds that come by the hundred are met by how they begin. */
function guards(special: readonly string[]): string {
  const families = ['<|', '<extra_id_', '<reserved'];
  const beginnings = new Set(special.map((spelling) => families.find((family) => spelling.startsWith(family)) ?? spelling));
  return [...beginnings]
    .map((text) => ` | replace(${literal(text)}, ${literal(`${[...text][0]} ${[...text].slice(1).join('')}`)})`)
    .join('');
}

function literal(value: unknown): string {
  return value === null ? 'none' : JSON.stringify(value);
}
