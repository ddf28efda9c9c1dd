// A slider for one attribute, on its own scale, with the word for the level beside it; or the attribute left open.
import type { Attribute } from '../../openapi/schemas.d.ts';

export interface Setting {
  value: number;
  open: boolean;
}

/** What the model does where nothing is asked. */
export function settingOf({ default: unsaid, max }: Attribute): Setting {
  return { value: unsaid ?? Math.round(max / 2), open: unsaid === null };
}

interface SliderProps {
  attribute: Attribute;
  setting: Setting;
  onChange: (setting: Setting) => void;
}

export function AttributeSlider({ attribute: { name, description, min, cap, levels }, setting, onChange }: SliderProps) {
  const { value, open } = setting;
  const between = value % 1 === 0 ? levels[value] : `${levels[Math.floor(value)]} to ${levels[Math.ceil(value)]}`;
  return (
    <div class="slider" data-tip={description}>
      <label for={undefined}>
        <span>{name}</span>
        <input
          type="range"
          {...{ min, max: cap, step: 0.5, value, disabled: open }}
          aria-label={name}
          aria-valuetext={open ? 'left open' : `${value}, ${between}`}
          onInput={(event) => onChange({ open, value: Number(event.currentTarget.value) })}
        />
      </label>
      <output>{open ? '–' : value}</output>
      <small>{open ? 'left open' : between}</small>
      <label class="open">
        <input
          type="checkbox"
          checked={open}
          aria-label={`leave ${name} open`}
          onChange={(event) => onChange({ value, open: event.currentTarget.checked })}
        />
        open
      </label>
    </div>
  );
}
