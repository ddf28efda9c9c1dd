// The people who rate, how far each can be trusted, and how the models fare in their eyes.
import { useState } from 'preact/hooks';
import type { Leaderboard, Rater, RaterList } from '../../openapi/schemas.d.ts';
import { counted, decimals } from '../number-text.ts';
import { get, post } from './api.ts';
import { Awaited, Empty, Notice, useLoaded, Wide, when } from './frame.tsx';

const figure = (value: number | null) => (value === null ? '–' : decimals(value, 2));

export function PeoplePage(_: { rest: string }) {
  const raters = useLoaded((signal) => get<RaterList>('/v1/raters', signal), []);
  const leaderboard = useLoaded((signal) => get<Leaderboard>('/v1/leaderboard', signal), []);
  const [error, setError] = useState<unknown>();
  const weigh = async (id: string, change: object) => {
    try {
      await post(`/v1/raters/${encodeURIComponent(id)}`, change);
      raters.reload();
    } catch (failure) {
      setError(failure);
    }
  };
  return (
    <>
      <section class="card" aria-label="Raters">
        <h2>Raters</h2>
        <Notice error={error} />
        <Awaited loaded={raters}>{({ data }) => <RatersTable raters={data} onChange={weigh} />}</Awaited>
      </section>
      <section class="card" aria-label="Leaderboard">
        <h2>Leaderboard</h2>
        <Awaited loaded={leaderboard}>{(found) => <LeaderboardTable {...found} />}</Awaited>
      </section>
    </>
  );
}

function Heads({ names }: { names: string[] }) {
  return (
    <thead>
      <tr>
        {names.map((name) => (
          <th key={name}>{name}</th>
        ))}
      </tr>
    </thead>
  );
}

function RatersTable({ raters, onChange }: { raters: Rater[]; onChange: (id: string, change: object) => void }) {
  if (raters.length === 0) return <Empty>Nobody has rated anything yet. Give a reply some stars on the page Play.</Empty>;
  return (
    <Wide>
      <table>
        <Heads names={['rater', 'feedback', 'last', 'compared', 'bias', 'kappa', 'rank corr.', 'weight', 'change']} />
        <tbody>
          {raters.map(({ id, feedback, last_at, figures, weight, flagged, reason }) => (
            <tr key={id} class={flagged ? 'flagged' : ''} data-tip={reason ?? undefined}>
              <th scope="row">
                {id} {flagged && <small>flagged</small>}
              </th>
              <td class="number">{feedback}</td>
              <td>{when(last_at)}</td>
              <td class="number">{figures.compared}</td>
              <td class="number">{figure(figures.bias)}</td>
              <td class="number">{figure(figures.kappa)}</td>
              <td class="number">{figure(figures.rank_correlation)}</td>
              <td class="number">{weight}</td>
              <td>
                <button
                  type="button"
                  onClick={() => onChange(id, flagged ? { flagged: false } : { weight: weight === 0 ? 1 : 0 })}
                >
                  {flagged ? 'Take the flag back' : weight === 0 ? 'Let it count' : 'Leave it out'}
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Wide>
  );
}

function LeaderboardTable({ data, votes, connected }: Leaderboard) {
  if (data.length === 0) return <Empty>No choice between two models yet.</Empty>;
  return (
    <>
      <p class="quiet-text">
        {counted(votes, 'choice')}
        {connected ? '' : '; some models were never compared, so their ratings cannot be either'}.
      </p>
      <Wide>
        <table>
          <Heads names={['rank', 'model', 'rating', '95 %', 'won', 'lost', 'tied']} />
          <tbody>
            {data.map(({ model, rank, rating, lower, upper, wins, losses, ties }) => (
              <tr key={model}>
                <td class="number">{rank}</td>
                <th scope="row">{model}</th>
                <td class="number strong">{Math.round(rating)}</td>
                <td class="number">
                  {Math.round(lower)} to {Math.round(upper)}
                </td>
                <td class="number">{wins}</td>
                <td class="number">{losses}</td>
                <td class="number">{ties}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Wide>
    </>
  );
}
