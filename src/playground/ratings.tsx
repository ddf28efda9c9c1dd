// What a person thinks of a reply: stars for each attribute, a thumb, and both kept as feedback the moment they are given.
import { useState } from 'preact/hooks';
import type { Attribute } from '../../openapi/schemas.d.ts';
import { own } from '../own.ts';
import { post } from './api.ts';
import { Notice } from './frame.tsx';

interface RatingsProps {
  completion: string;
  rater: string;
  attributes: Attribute[];
}

/** What one rater said of the reply. */
interface Said {
  levels: Record<string, number>;
  thumb?: 'up' | 'down';
}

const unsaid: Said = { levels: {} };

export function Ratings({ completion, rater, attributes }: RatingsProps) {
  /** By rater: two people may rate one reply in one page, and alike. */
  const [said, setSaid] = useState<ReadonlyMap<string, Said>>(new Map());
  const { levels: given, thumb } = said.get(rater) ?? unsaid;
  const [error, setError] = useState<unknown>();
  const [kept, setKept] = useState('');
  const give = async (what: { ratings?: Record<string, number>; thumb?: 'up' | 'down' }, said: string) => {
    try {
      await post('/v1/feedback', { rater, completion_id: completion, ...what });
      setError(undefined);
      setKept(`${said}, kept as ${rater}`);
    } catch (failure) {
      setError(failure);
    }
  };
  const note = (more: Partial<Said>) =>
    setSaid((known) => new Map(known).set(rater, { ...(known.get(rater) ?? unsaid), ...more }));
  const rate = (name: string, level: number) => {
    note({ levels: { ...given, [name]: level } });
    void give({ ratings: { [name]: level } }, `${name} ${level}`);
  };
  return (
    <div class="ratings">
      <h3>Your rating</h3>
      {attributes.map(({ name, levels }) => (
        <fieldset class="stars" key={name}>
          <legend>{name}</legend>
          {levels.map((word, level) => (
            <label key={word} data-tip={word} class={(own(given, name) ?? -1) >= level ? 'lit' : ''}>
              <input
                type="radio"
                name={`${completion} ${name} ${rater}`}
                aria-label={`${name} ${level}, ${word}`}
                checked={own(given, name) === level}
                onChange={() => rate(name, level)}
              />
              <span aria-hidden="true">{level === 0 ? '○' : '★'}</span>
            </label>
          ))}
        </fieldset>
      ))}
      <div class="row">
        {(['up', 'down'] as const).map((way) => (
          <button
            key={way}
            type="button"
            aria-pressed={thumb === way}
            onClick={() => {
              note({ thumb: way });
              void give({ thumb: way }, `thumb ${way}`);
            }}
          >
            {way === 'up' ? 'I like it' : 'I do not'}
          </button>
        ))}
        <span role="status" class="quiet-text">
          {kept}
        </span>
      </div>
      <Notice error={error} />
    </div>
  );
}
