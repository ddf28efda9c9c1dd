// Ask for attributes and see them: sliders, a reply that is written while you look, what was asked beside what is read in it, and stars that are kept.
import { useState } from 'preact/hooks';
import type { Attribute, AttributeList, Model, ModelList } from '../../openapi/schemas.d.ts';
import { get } from './api.ts';
import { Column } from './column.tsx';
import type { Vectors } from './dials.tsx';
import { Awaited, useLoaded } from './frame.tsx';
import { groupModels } from './model-groups.ts';
import { PullModel } from './pull-model.tsx';

/** What stands there until something is written: models trained on labels know the world that they were trained on, others ordinary questions. */
const openings = {
  label: {
    system: 'You are Marta, an innkeeper at the Gilded Goose in Fallowmere. Mood: cheerful.',
    text: 'Can you tell me the way to the market?',
  },
  other: { system: '', text: 'Why is the sky blue?' },
};

interface Scene {
  /** The one whose attributes these are: another may be chosen while they load. */
  model: string;
  models: Model[];
  attributes: Attribute[];
}

async function loadScene(model: string, signal: AbortSignal): Promise<Scene> {
  const [models, attributes] = await Promise.all([
    get<ModelList>('/v1/models', signal),
    get<AttributeList>(`/v1/attributes?model=${encodeURIComponent(model)}`, signal),
  ]);
  return { model, models: models.data.filter(({ kind }) => kind === 'language'), attributes: attributes.data };
}

const chosenOf = (models: Model[], chosen: string) => models.find(({ id, aliases }) => id === chosen || aliases.includes(chosen));
/** Changes with the scales, so that nobody is asked for the dials of another model. */
const scalesOf = (attributes: Attribute[], vectors: Vectors) =>
  [
    ...attributes.map(({ name, default: level }) => `${name} ${level}`),
    ...vectors.map(({ name, range }) => `${name} ${range}`),
  ].join();

/** Tied to the choice of a model by its id; nothing of a model that says nothing. */
const noteId = 'model-note';
function ModelNote({ text }: { text: string | null | undefined }) {
  return text ? (
    <p id={noteId} class="quiet-text">
      {text}
    </p>
  ) : null;
}

/** Models first, then each run's checkpoints together. */
function ModelOptions({ models }: { models: Model[] }) {
  const groups = groupModels(models);
  return (
    <>
      {groups.map(({ model }) => model && <option key={model.id}>{model.id}</option>)}
      {groups
        .filter(({ checkpoints }) => checkpoints.length > 0)
        .map(({ name, checkpoints }) => (
          <optgroup key={name} label={`Checkpoints of ${name}`}>
            {checkpoints.map(({ step, model }) => (
              <option key={model.id} value={model.id}>
                {`step ${step} of ${name}`}
              </option>
            ))}
          </optgroup>
        ))}
    </>
  );
}

interface ModelChoiceProps {
  models: Model[];
  chosen: string;
  onChoose: (model: string) => void;
}

function ModelChoice({ models, chosen, onChoose }: ModelChoiceProps) {
  const byDefault = chosenOf(models, 'default');
  return (
    <label class="inline">
      Model
      <select aria-describedby={noteId} value={chosen} onChange={(event) => onChoose(event.currentTarget.value)}>
        <option value="default">{byDefault ? `default: ${byDefault.id}` : 'default'}</option>
        <ModelOptions models={models} />
      </select>
    </label>
  );
}

export function PlayPage(_: { rest: string }) {
  const [model, setModel] = useState('default');
  const [written, setWritten] = useState<{ system?: string; text?: string }>({});
  const [columns, setColumns] = useState(1);
  const [sent, setSent] = useState<{ text: string; count: number }>();
  const [rater, setRater] = useState(localStorage.getItem('steer-rater') ?? 'me');
  const loaded = useLoaded((signal) => loadScene(model, signal), [model]);
  const nameRater = (name: string) => {
    setRater(name);
    localStorage.setItem('steer-rater', name);
  };
  return (
    <Awaited loaded={loaded}>
      {({ model: shown, models, attributes }) => {
        const { attribute_method: method, vectors = [] } = chosenOf(models, shown) ?? {};
        const isLabelled = method === 'label';
        const { system, text } = { ...(isLabelled ? openings.label : openings.other), ...written };
        const send = (event: Event) => {
          event.preventDefault();
          if (shown === model && text.trim() !== '') setSent({ text, count: (sent?.count ?? 0) + 1 });
        };
        return (
          <>
            <form class="card ask" onSubmit={send}>
              <label>
                Who replies
                <textarea
                  rows={2}
                  value={system}
                  onInput={(event) => setWritten({ ...written, system: event.currentTarget.value })}
                />
              </label>
              <label>
                What you say
                <textarea
                  rows={2}
                  value={text}
                  onInput={(event) => setWritten({ ...written, text: event.currentTarget.value })}
                  onKeyDown={(event) => {
                    if (event.key === 'Enter' && !event.shiftKey) send(event);
                  }}
                />
              </label>
              <div class="row">
                <button type="submit" class="main" disabled={shown !== model}>
                  Say it
                </button>
                <ModelChoice models={models} chosen={model} onChoose={setModel} />
                <label class="inline">
                  You rate as
                  <input size={10} value={rater} onInput={(event) => nameRater(event.currentTarget.value)} />
                </label>
                <button type="button" onClick={() => setColumns(3 - columns)}>
                  {columns === 1 ? 'Compare two settings' : 'One setting'}
                </button>
              </div>
              <ModelNote text={chosenOf(models, model)?.description} />
            </form>
            <div class={`columns of-${columns}`}>
              {Array.from({ length: columns }, (_each, i) => (
                <Column
                  key={`${shown} ${i} ${scalesOf(attributes, vectors)}`}
                  name={columns === 1 ? 'Reply' : i === 0 ? 'Left' : 'Right'}
                  measures={isLabelled}
                  {...{ model: shown, system, sent, rater, attributes, vectors, contrast: i > 0 }}
                />
              ))}
            </div>
            <PullModel onModel={loaded.reload} />
          </>
        );
      }}
    </Awaited>
  );
}
