// What was measured of a model: how closely it follows each attribute, what is obtained for what is asked, and which dials move one another.
import { useState } from 'preact/hooks';
import type { Model, ModelList, ModelReport } from '../../openapi/schemas.d.ts';
import { counted, decimals } from '../number-text.ts';
import { get } from './api.ts';
import { Awaited, Disclosure, Empty, useLoaded, Wide } from './frame.tsx';
import { LineChart } from './line-chart.tsx';
import { groupModels, type ModelGroup } from './model-groups.ts';

interface Interval {
  value: number;
  low: number;
  high: number;
}

interface Condition {
  name: string;
  attributes: Record<string, { figures: Record<string, Interval | null>; curve: { requested: number; obtained: Interval }[] }>;
  leakage: { attributes: string[]; matrix: (Interval | null)[][] };
}

/** What is drawn of the file that \`steer evaluate steering\` wrote; openapi.json says only that there is one. */
interface SteeringReport {
  created_at: string;
  judge: { name: string };
  prompts: { count: number; seen_in_training: boolean };
  attributes: string[];
  conditions: Condition[];
}

export function ReportsPage({ rest }: { rest: string }) {
  const loaded = useLoaded((signal) => get<ModelList>('/v1/models', signal), []);
  return (
    <Awaited loaded={loaded}>
      {({ data }) => {
        const chosen = rest === '' ? (data.find(({ aliases }) => aliases.includes('default'))?.id ?? data[0]?.id ?? '') : rest;
        return (
          <div class="master">
            <nav class="list" aria-label="Models">
              {groupModels(data).map((group) => (
                <GroupLinks key={group.name} group={group} chosen={chosen} />
              ))}
            </nav>
            {chosen !== '' && <ReportView key={chosen} id={chosen} />}
          </div>
        );
      }}
    </Awaited>
  );
}

/** A model, and the checkpoints of its run behind a word. */
function GroupLinks({ group: { name, model, checkpoints }, chosen }: { group: ModelGroup; chosen: string }) {
  return (
    <>
      {model && <ModelLink title={name} model={model} chosen={chosen} />}
      {checkpoints.length > 0 && (
        <details open={checkpoints.some(({ model: { id } }) => id === chosen)}>
          <summary>
            <small>
              {checkpoints.length === 1 ? '1 checkpoint' : `${checkpoints.length} checkpoints`}
              {model ? '' : ` of ${name}`}
            </small>
          </summary>
          {checkpoints.map(({ step, model: of }) => (
            <ModelLink key={of.id} title={`step ${step}`} model={of} chosen={chosen} />
          ))}
        </details>
      )}
    </>
  );
}

function ModelLink({ title, model, chosen }: { title: string; model: Model; chosen: string }) {
  const { id, kind, aliases, parent } = model;
  return (
    <a href={`#reports/${encodeURIComponent(id)}`} aria-current={id === chosen ? 'true' : undefined}>
      <strong>{title}</strong>
      <small>
        {kind}
        {parent === null ? '' : ` from ${parent}`}
        {aliases.length === 0 ? '' : ` · ${aliases.join(', ')}`}
      </small>
    </a>
  );
}

function ReportView({ id }: { id: string }) {
  const loaded = useLoaded((signal) => get<ModelReport>(`/v1/models/${encodeURIComponent(id)}/report`, signal), [id]);
  return (
    <Awaited loaded={loaded}>
      {({ evaluations: { steering, ...others }, measured }) => (
        <div>
          {steering ? (
            <SteeringView {...(steering as unknown as SteeringReport)} />
          ) : (
            <Empty>
              How closely it follows was never measured. <code>steer evaluate steering --model {id}</code> does.
            </Empty>
          )}
          {Object.entries({ ...others, measured }).map(([name, value]) => (
            <Disclosure key={name} title={name === 'measured' ? 'On its card' : `Evaluation: ${name}`}>
              <pre>{JSON.stringify(value, null, 2)}</pre>
            </Disclosure>
          ))}
        </div>
      )}
    </Awaited>
  );
}

const figure = (found: Interval | null | undefined) => (found ? decimals(found.value, 2) : '–');
const interval = (found: Interval | null | undefined) => (found ? `${decimals(found.low, 2)} to ${decimals(found.high, 2)}` : '');

function SteeringView({ conditions, attributes, prompts, judge, created_at }: SteeringReport) {
  const [name, setName] = useState(conditions[0]?.name ?? '');
  const chosen = conditions.find((condition) => condition.name === name);
  return (
    <>
      <section class="card" aria-label="Followed">
        <h2>How closely it follows</h2>
        <p class="quiet-text">
          Rank correlation within a prompt of what was asked and what the predictor {judge.name} reads;{' '}
          {counted(prompts.count, 'prompt')}
          {prompts.seen_in_training ? ', seen in training' : ''}, {created_at.slice(0, 10)}.
        </p>
        <Wide>
          <table>
            <thead>
              <tr>
                <th>condition</th>
                {attributes.map((attribute) => (
                  <th key={attribute}>{attribute}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {conditions.map((condition) => (
                <tr key={condition.name} class={condition.name === name ? 'chosen' : ''}>
                  <th scope="row">
                    <button
                      type="button"
                      class="link"
                      aria-pressed={condition.name === name}
                      onClick={() => setName(condition.name)}
                    >
                      {condition.name}
                    </button>
                  </th>
                  {attributes.map((attribute) => {
                    const found = condition.attributes[attribute]?.figures.within_spearman;
                    return (
                      <td key={attribute} class="number" data-tip={interval(found)}>
                        {figure(found)}
                      </td>
                    );
                  })}
                </tr>
              ))}
            </tbody>
          </table>
        </Wide>
      </section>
      {chosen && <Curves condition={chosen} attributes={attributes} />}
      {chosen && <Leakage {...chosen.leakage} />}
    </>
  );
}

function Curves({ condition, attributes }: { condition: Condition; attributes: string[] }) {
  return (
    <section class="card" aria-label="Calibration">
      <h2>Obtained for what is asked, {condition.name}</h2>
      <div class="curves">
        {attributes.map((attribute) => {
          const curve = condition.attributes[attribute]?.curve ?? [];
          const lines = (['value', 'low', 'high'] as const).map((field) => ({
            label: field === 'value' ? 'obtained' : field,
            values: curve.map(({ obtained }) => obtained[field]),
            thin: field !== 'value',
          }));
          return (
            <LineChart
              key={attribute}
              title={attribute}
              xLabel="asked for"
              xs={curve.map(({ requested }) => requested)}
              lines={lines}
              range={[0, 4]}
              height={170}
              legend={false}
            />
          );
        })}
      </div>
    </section>
  );
}

/** Rows are dials, columns what they move; the darker, the more. */
function Leakage({ attributes, matrix }: Condition['leakage']) {
  return (
    <section class="card" aria-label="Leakage">
      <h2>What each dial moves</h2>
      <p class="quiet-text">Levels obtained for each level asked for: the diagonal should be 1, the rest 0.</p>
      <Wide>
        <table class="heat">
          <thead>
            <tr>
              <th>dial</th>
              {attributes.map((name) => (
                <th key={name}>{name}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {matrix.map((row, i) => (
              <tr key={attributes[i]}>
                <th scope="row">{attributes[i]}</th>
                {row.map((found, j) => {
                  const strength = Math.min(1, Math.abs(found?.value ?? 0));
                  return (
                    <td
                      key={attributes[j]}
                      class="number"
                      data-tip={interval(found)}
                      style={{ '--heat': `${Math.round(100 * strength)}%`, '--hue': (found?.value ?? 0) < 0 ? 20 : 221 }}
                    >
                      {figure(found)}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </Wide>
    </section>
  );
}
