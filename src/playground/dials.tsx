// Every dial of a request: a slider for each attribute, strength, and how many candidates a reply is chosen from.
import type { Attribute } from '../../openapi/schemas.d.ts';
import { AttributeSlider, type Setting, settingOf } from './attribute-slider.tsx';

export interface Dials {
  attributes: Record<string, Setting>;
  strength: number;
  bestOf: number;
}

/** As the model has them where nothing is asked. */
export function dialsOf(attributes: Attribute[]): Dials {
  return {
    attributes: Object.fromEntries(attributes.map((attribute) => [attribute.name, settingOf(attribute)])),
    strength: 1,
    bestOf: 1,
  };
}

/** The same with the first attribute at the end of its scale that is farther from there, so that there is something to compare. */
export function contrastOf(attributes: Attribute[]): Dials {
  const dials = dialsOf(attributes);
  const [first] = attributes;
  if (!first) return dials;
  const { min, cap, name } = first;
  const value = 2 * dials.attributes[name]!.value > min + cap ? min : cap;
  return { ...dials, attributes: { ...dials.attributes, [name]: { value, open: false } } };
}

/** What a chat request says of them; what is written is measured where that is known how. */
export function askedOf({ attributes, strength, bestOf }: Dials, measures: boolean) {
  return {
    attributes: Object.fromEntries(Object.entries(attributes).map(([name, { value, open }]) => [name, open ? null : value])),
    steering: {
      ...(measures ? { measure: true } : {}),
      ...(strength === 1 ? {} : { strength }),
      ...(measures && bestOf > 1 ? { best_of: bestOf } : {}),
    },
  };
}

const bestOfChoices = [1, 2, 4, 8];

interface DialsProps {
  attributes: Attribute[];
  dials: Dials;
  /** Whether candidates can be chosen among. */
  measures: boolean;
  onChange: (dials: Dials) => void;
}

export function DialsView({ attributes, dials, measures, onChange }: DialsProps) {
  const { strength, bestOf } = dials;
  return (
    <div class="sliders">
      {attributes.map((attribute) => (
        <AttributeSlider
          key={attribute.name}
          attribute={attribute}
          setting={dials.attributes[attribute.name] as Setting}
          onChange={(setting) => onChange({ ...dials, attributes: { ...dials.attributes, [attribute.name]: setting } })}
        />
      ))}
      <label class="slider">
        <span>strength</span>
        <input
          type="range"
          min={0}
          max={3}
          step={0.25}
          value={strength}
          aria-valuetext={strength === 1 ? '1, the plain prompt' : String(strength)}
          onInput={(event) => onChange({ ...dials, strength: Number(event.currentTarget.value) })}
        />
        <output>{strength}</output>
      </label>
      {measures && (
        <label class="slider">
          <span>best of</span>
          <select value={bestOf} onChange={(event) => onChange({ ...dials, bestOf: Number(event.currentTarget.value) })}>
            {bestOfChoices.map((count) => (
              <option key={count}>{count}</option>
            ))}
          </select>
        </label>
      )}
    </div>
  );
}
