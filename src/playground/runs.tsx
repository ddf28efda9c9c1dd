// Training runs: their loss as it comes, what they say, their checkpoints, and the way to stop them.
import { useEffect, useState } from 'preact/hooks';
import type {
  FineTuningCheckpoint,
  FineTuningCheckpointList,
  FineTuningEvent,
  FineTuningJob,
  FineTuningJobList,
} from '../../openapi/schemas.d.ts';
import { counted } from '../number-text.ts';
import { events, get, post } from './api.ts';
import { Awaited, Empty, isAborted, Notice, useLoaded, when } from './frame.tsx';
import { LineChart } from './line-chart.tsx';

const over = ['succeeded', 'failed', 'cancelled'];

export function RunsPage({ rest }: { rest: string }) {
  const loaded = useLoaded((signal) => get<FineTuningJobList>('/v1/fine_tuning/jobs?limit=100', signal), []);
  return (
    <Awaited loaded={loaded}>
      {({ data }) =>
        data.length === 0 ? (
          <Empty>
            No training run yet. <code>POST /v1/fine_tuning/jobs</code> begins one, or <code>steer finetune</code>.
          </Empty>
        ) : (
          <div class="master">
            <nav class="list" aria-label="Training runs">
              {data.map(({ id, method, model, status, created_at }) => (
                <a key={id} href={`#runs/${id}`} aria-current={id === rest ? 'true' : undefined}>
                  <strong>
                    {method.type} on {model}
                  </strong>
                  <small>
                    <span class={`status ${status}`}>{status}</span> · {when(created_at)}
                  </small>
                </a>
              ))}
            </nav>
            {rest === '' ? <Empty>Choose a run.</Empty> : <RunView key={rest} id={rest} />}
          </div>
        )
      }
    </Awaited>
  );
}

interface Metric {
  step: number;
  loss: number;
  eval_loss?: number;
  tokens_per_second: number;
  grad_norm: number;
  learning_rate: number;
}

/** Events of the run as they come, and the run itself whenever something was told. */
function useRun(id: string) {
  const [told, setTold] = useState<FineTuningEvent[]>([]);
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    const stop = new AbortController();
    void (async () => {
      try {
        const path = `/v1/fine_tuning/jobs/${id}/events?stream=true`;
        for await (const event of events<FineTuningEvent>(path, { signal: stop.signal })) setTold((known) => [...known, event]);
      } catch (failure) {
        if (!isAborted(failure)) setError(failure);
      }
    })();
    return () => stop.abort();
  }, [id]);
  const run = useLoaded((signal) => get<FineTuningJob>(`/v1/fine_tuning/jobs/${id}`, signal), [id, told.length]);
  const checkpoints = useLoaded(
    (signal) => get<FineTuningCheckpointList>(`/v1/fine_tuning/jobs/${id}/checkpoints?limit=20`, signal),
    [id, told.length],
  );
  return { told, run, checkpoints, error };
}

function RunView({ id }: { id: string }) {
  const { told, run, checkpoints, error } = useRun(id);
  const [refused, setRefused] = useState<unknown>();
  const ask = async (action: string) => {
    try {
      await post(`/v1/fine_tuning/jobs/${id}/${action}`);
      run.reload();
    } catch (failure) {
      setRefused(failure);
    }
  };
  return (
    <div>
      <Notice error={error ?? refused} />
      <Awaited loaded={run}>
        {(found) => <StateView run={found} step={Math.max(found.progress.step, lastStep(told))} onAsk={ask} />}
      </Awaited>
      <LossView told={told} />
      <section class="card" aria-label="Checkpoints">
        <h2>Checkpoints</h2>
        <Awaited loaded={checkpoints}>{({ data }) => <CheckpointsTable checkpoints={data} />}</Awaited>
      </section>
      <section class="card" aria-label="Events">
        <h2>What it said</h2>
        <ol class="events">
          {told
            .filter(({ type }) => type === 'message')
            .map(({ id: key, created_at, message, level }) => (
              <li key={key} class={level}>
                <time>{when(created_at)}</time> {message}
              </li>
            ))}
        </ol>
      </section>
    </div>
  );
}

/** Metrics come oftener than the job's own record of its progress. */
function lastStep(told: FineTuningEvent[]): number {
  const last = told.findLast(({ type }) => type === 'metrics')?.data as Metric | undefined;
  return last?.step ?? 0;
}

function StateView({ run, step, onAsk }: { run: FineTuningJob; step: number; onAsk: (action: string) => void }) {
  const { status, model, fine_tuned_model, progress, error, estimated_finish } = run;
  return (
    <section class="card" aria-label="Run">
      <p>
        <span class={`status ${status}`}>{status}</span> {step} of{' '}
        {progress.total === null ? '? steps' : counted(progress.total, 'step')}, from {model}
        {fine_tuned_model !== null && (
          <>
            , made <strong>{fine_tuned_model}</strong>
          </>
        )}
        {estimated_finish !== null && `, until about ${when(estimated_finish)}`}
      </p>
      {error && <Notice error={error.message} />}
      {!over.includes(status) && (
        <div class="row">
          <button type="button" onClick={() => onAsk(status === 'paused' ? 'resume' : 'pause')}>
            {status === 'paused' ? 'Resume' : 'Pause'}
          </button>
          <button type="button" onClick={() => onAsk('cancel')}>
            Cancel
          </button>
        </div>
      )}
    </section>
  );
}

function LossView({ told }: { told: FineTuningEvent[] }) {
  const metrics = told.filter(({ type }) => type === 'metrics').map(({ data }) => data as unknown as Metric);
  const last = metrics.at(-1);
  const line = (field: keyof Metric) => metrics.map((metric) => metric[field] ?? null);
  const xs = metrics.map(({ step }) => step);
  return (
    <section class="card" aria-label="Loss">
      <h2>Loss</h2>
      {last === undefined ? (
        <Empty>No step yet.</Empty>
      ) : (
        <>
          <p class="quiet-text">{Math.round(last.tokens_per_second)} tokens a second.</p>
          <LineChart
            title="Nats per token by step"
            xLabel="step"
            xs={xs}
            lines={[
              { label: 'training', values: line('loss') },
              { label: 'held out', values: line('eval_loss') },
            ]}
          />
          <div class="curves">
            <LineChart
              title="Norm of the gradient"
              xLabel="step"
              {...{ xs, height: 170, legend: false }}
              lines={[{ label: 'norm', values: line('grad_norm') }]}
            />
            <LineChart
              title="Learning rate"
              xLabel="step"
              {...{ xs, height: 170, legend: false }}
              lines={[{ label: 'rate', values: line('learning_rate') }]}
            />
          </div>
        </>
      )}
    </section>
  );
}

function CheckpointsTable({ checkpoints }: { checkpoints: FineTuningCheckpoint[] }) {
  if (checkpoints.length === 0) return <Empty>None yet.</Empty>;
  return (
    <table>
      <thead>
        <tr>
          <th>step</th>
          <th>held-out loss</th>
          <th>ask for it as</th>
        </tr>
      </thead>
      <tbody>
        {checkpoints.map(({ id, step_number, metrics: { valid_loss }, fine_tuned_model_checkpoint }) => (
          <tr key={id}>
            <td class="number">{step_number}</td>
            <td class="number">{valid_loss?.toFixed(3) ?? '–'}</td>
            <td>
              <code>{fine_tuned_model_checkpoint}</code>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
