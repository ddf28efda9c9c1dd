// Datasets: how their labels are spread, and their rows with each label and who made it.
import { useState } from 'preact/hooks';
import type { DatasetInspection, DatasetList, DatasetSample, DatasetSampleList } from '../../openapi/schemas.d.ts';
import { counted, decimals } from '../number-text.ts';
import { get } from './api.ts';
import { Awaited, Empty, useLoaded, when } from './frame.tsx';

export function DatasetsPage({ rest }: { rest: string }) {
  const loaded = useLoaded((signal) => get<DatasetList>('/v1/datasets?limit=100', signal), []);
  return (
    <Awaited loaded={loaded}>
      {({ data }) =>
        data.length === 0 ? (
          <Empty>
            No dataset yet. Rate some replies and harvest them, or send one:{' '}
            <code>steer import ratings.jsonl --name ratings</code>
          </Empty>
        ) : (
          <div class="master">
            <nav class="list" aria-label="Datasets">
              {data.map(({ id, name, version, samples, format, created_at }) => (
                <a key={id} href={`#datasets/${id}`} aria-current={id === rest ? 'true' : undefined}>
                  <strong>
                    {name} @{version}
                  </strong>
                  <small>
                    {counted(samples, 'sample')} · {format} · {when(created_at)}
                  </small>
                </a>
              ))}
            </nav>
            {rest === '' ? <Empty>Choose a dataset.</Empty> : <DatasetView key={rest} id={rest} />}
          </div>
        )
      }
    </Awaited>
  );
}

function DatasetView({ id }: { id: string }) {
  const path = `/v1/datasets/${encodeURIComponent(id)}`;
  const figures = useLoaded((signal) => get<DatasetInspection>(`${path}/inspect`, signal), [id]);
  return (
    <div>
      <Awaited loaded={figures}>{(found) => <Figures {...found} />}</Awaited>
      <Rows path={path} />
    </div>
  );
}

function Figures({ samples, conversations, replies, duplicates, splits, labels }: DatasetInspection) {
  return (
    <section class="card" aria-label="Figures">
      <p>
        {counted(samples, 'sample')} in {counted(conversations, 'conversation')}, {counted(replies, 'reply')},{' '}
        {counted(duplicates, 'duplicate')}; {splits.train} to train on, {splits.validation} held out, all replies to one prompt on
        the same side.
      </p>
      {labels.length === 0 && <Empty>Nothing is labelled.</Empty>}
      <div class="histograms">
        {labels.map(({ attribute, source, levels, mean, coverage }) => (
          <figure key={`${attribute} ${source}`}>
            <div
              class="histogram"
              role="img"
              aria-label={`${attribute} by ${source}: ${levels.map((count, i) => `${count} at ${i}`).join(', ')}`}
            >
              {levels.map((count, level) => (
                <i
                  key={String(level)}
                  style={{ height: `${(100 * count) / Math.max(1, ...levels)}%` }}
                  data-tip={`${count} at ${level}`}
                />
              ))}
            </div>
            <figcaption>
              {attribute} <small>{source}</small>
              <br />
              <small>
                mean {decimals(mean, 2)} · {Math.round(100 * coverage)} % labelled
              </small>
            </figcaption>
          </figure>
        ))}
      </div>
    </section>
  );
}

function Rows({ path }: { path: string }) {
  const [after, setAfter] = useState<string[]>([]);
  const last = after.at(-1);
  const query = last === undefined ? '' : `&after=${last}`;
  const loaded = useLoaded((signal) => get<DatasetSampleList>(`${path}/samples?limit=20${query}`, signal), [path, last]);
  return (
    <section class="card" aria-label="Rows">
      <h2>Rows</h2>
      <Awaited loaded={loaded}>
        {({ data, last_id, has_more }) => (
          <>
            <ol class="samples" start={(data[0]?.position ?? 0) + 1}>
              {data.map((sample) => (
                <SampleView key={sample.position} {...sample} />
              ))}
            </ol>
            <div class="row">
              <button type="button" disabled={after.length === 0} onClick={() => setAfter(after.slice(0, -1))}>
                Back
              </button>
              <button type="button" disabled={!has_more} onClick={() => last_id !== null && setAfter([...after, last_id])}>
                Next
              </button>
            </div>
          </>
        )}
      </Awaited>
    </section>
  );
}

function SampleView({ messages, text, labels, split }: DatasetSample) {
  return (
    <li>
      {text !== null && <p>{text}</p>}
      {messages?.map(({ role, content }, i) => (
        <div key={String(i)} class={`message ${role}`}>
          <small>{role}</small>
          <p>{content}</p>
          <ul class="labels">
            {labels
              .filter(({ message }) => message === i)
              .map(({ attribute, value, source, author }, place) => (
                <li key={String(place)} class={source} data-tip={`${source}: ${author}`}>
                  {attribute} {Number.isInteger(value) ? value : decimals(value, 2)} <small>{author}</small>
                </li>
              ))}
          </ul>
        </div>
      ))}
      {split === 'validation' && <small class="quiet-text">held out</small>}
    </li>
  );
}
