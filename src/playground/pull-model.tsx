// A model fetched from the page: its name is asked for, and how far the download is stands there until the model can be chosen.
import { useEffect, useState } from 'preact/hooks';
import type { Job } from '../../openapi/schemas.d.ts';
import { get, post } from './api.ts';
import { Disclosure, Notice } from './frame.tsx';

const over = ['succeeded', 'failed', 'cancelled'];
const lookMs = 500;

/** Looks at the job until it has ended, then tells of a model that has come. */
function useJob(id: string | undefined, onModel: () => void): { job: Job | undefined; error: unknown } {
  const [job, setJob] = useState<Job>();
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    setJob(undefined);
    setError(undefined);
    if (id === undefined) return;
    const stop = new AbortController();
    const look = async (): Promise<void> => {
      try {
        const found = await get<Job>(`/v1/jobs/${id}`, stop.signal);
        if (stop.signal.aborted) return;
        setJob(found);
        if (found.status === 'succeeded') onModel();
        if (!over.includes(found.status)) setTimeout(() => void look(), lookMs);
      } catch (failure) {
        if (!stop.signal.aborted) setError(failure);
      }
    };
    void look();
    return () => stop.abort();
  }, [id]);
  return { job, error };
}

export function PullModel({ onModel }: { onModel: () => void }) {
  const [model, setModel] = useState('smollm2-135m');
  const [id, setId] = useState<string>();
  const [refused, setRefused] = useState<unknown>();
  const { job, error } = useJob(id, onModel);
  const busy = job !== undefined && !over.includes(job.status);
  const ask = async (event: Event) => {
    event.preventDefault();
    setRefused(undefined);
    try {
      setId((await post<Job>('/v1/models/pull', { model: model.trim() })).id);
    } catch (failure) {
      setRefused(failure);
    }
  };
  return (
    <Disclosure title="Fetch a model">
      <form onSubmit={ask}>
        <label>
          Name of the catalogue, or owner/repository of the hub
          <input value={model} onInput={(event) => setModel(event.currentTarget.value)} />
        </label>
        <button type="submit" disabled={busy || model.trim() === ''}>
          Fetch it
        </button>
      </form>
      <Notice error={refused ?? error} />
      {job && <PullState job={job} />}
    </Disclosure>
  );
}

function PullState({ job: { status, progress, result, error } }: { job: Job }) {
  const { completed, total } = progress;
  if (status === 'failed' || status === 'cancelled') return <Notice error={error?.message ?? 'It was cancelled.'} />;
  const came = status === 'succeeded' ? `${(result as { model: string }).model} is here.` : undefined;
  return (
    <>
      {came === undefined && <progress aria-label="Fetched" max={total ?? 1} {...(total === null ? {} : { value: completed })} />}
      <p role="status">{came ?? (total === null ? 'Waiting …' : `${megabytes(completed)} of ${megabytes(total)}`)}</p>
    </>
  );
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}
