// Every dial of a request: a slider for each attribute and each steering vector, strength, and how many candidates a reply is chosen from.
import type { Attribute, Model } from '../../openapi/schemas.d.ts';
import { own } from '../own.ts';
import { AttributeSlider, type Setting, settingOf } from './attribute-slider.tsx';

export interface Dials {
  attributes: Record<string, Setting>;
  strength: number;
  bestOf: number;
  /** Weights by name of a steering vector; one at 0, or without one, is not asked for. */
  vectors: Record<string, number>;
}

export type Vectors = NonNullable<Model['vectors']>;

/** As the model has them where nothing is asked. */
export function dialsOf(attributes: Attribute[]): Dials {
  return {
    attributes: Object.fromEntries(attributes.map((attribute) => [attribute.name, settingOf(attribute)])),
    strength: 1,
    bestOf: 1,
    vectors: {},
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
export function askedOf({ attributes, strength, bestOf, vectors }: Dials, measures: boolean) {
  const turned = Object.entries(vectors).filter(([, weight]) => weight !== 0);
  return {
    attributes: Object.fromEntries(Object.entries(attributes).map(([name, { value, open }]) => [name, open ? null : value])),
    steering: {
      ...(measures ? { measure: true } : {}),
      ...(strength === 1 ? {} : { strength }),
      ...(measures && bestOf > 1 ? { best_of: bestOf } : {}),
      ...(turned.length > 0 ? { vectors: Object.fromEntries(turned) } : {}),
    },
  };
}

const bestOfChoices = [1, 2, 4, 8];

/** Steps from one end of a vector's range to the other. */
const vectorSteps = 40;

interface VectorProps {
  vector: Vectors[number];
  weight: number;
  onChange: (weight: number) => void;
}

/** Rests at 0, which the range need not hold, nor its steps meet: the step nearest to it is 0. */
function VectorSlider({ vector: { name, range }, weight, onChange }: VectorProps) {
  const [min, max] = range as [number, number];
  const step = (max - min) / vectorSteps;
  return (
    <label class="slider" data-tip="Steering vector">
      <span>{name}</span>
      <input
        type="range"
        {...{ min, max, step, value: weight }}
        aria-valuetext={weight === 0 ? '0, not added' : String(weight)}
        onInput={({ currentTarget: { valueAsNumber } }) => onChange(Math.abs(valueAsNumber) < step / 2 ? 0 : valueAsNumber)}
      />
      <output>{weight}</output>
    </label>
  );
}

interface DialsProps {
  attributes: Attribute[];
  vectors: Vectors;
  dials: Dials;
  /** Whether candidates can be chosen among. */
  measures: boolean;
  onChange: (dials: Dials) => void;
}

export function DialsView({ attributes, vectors, dials, measures, onChange }: DialsProps) {
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
      {vectors.map((vector) => (
        <VectorSlider
          key={vector.name}
          vector={vector}
          weight={own(dials.vectors, vector.name) ?? 0}
          onChange={(weight) => onChange({ ...dials, vectors: { ...dials.vectors, [vector.name]: weight } })}
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
