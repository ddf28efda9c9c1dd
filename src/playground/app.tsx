// The playground: one page whose part after # names what is shown. Knows the rooms and the frame around them.
import './language.ts';
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { get } from './api.ts';
import { DatasetsPage } from './datasets.tsx';
import { AccessDialog, Notice, ThemeSwitch } from './frame.tsx';
import { NpcsPage } from './npcs.tsx';
import { PeoplePage } from './people.tsx';
import { PlayPage } from './play.tsx';
import { ReportsPage } from './reports.tsx';
import { RunsPage } from './runs.tsx';
import './app.css';

const pages = {
  play: { title: 'Play', show: PlayPage },
  npcs: { title: 'Characters', show: NpcsPage },
  datasets: { title: 'Datasets', show: DatasetsPage },
  runs: { title: 'Training', show: RunsPage },
  reports: { title: 'Reports', show: ReportsPage },
  people: { title: 'Raters', show: PeoplePage },
};
type PageName = keyof typeof pages;

/** `#datasets/ds_1` is the page datasets with the rest for itself. */
function useAddress(): [PageName, string] {
  const read = (): [PageName, string] => {
    const [name = '', ...rest] = location.hash.slice(1).split('/');
    return [Object.hasOwn(pages, name) ? (name as PageName) : 'play', decoded(rest.join('/'))];
  };
  const [address, setAddress] = useState(read);
  useEffect(() => {
    const follow = () => setAddress(read());
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  return address;
}

/** As it stands where somebody typed what is no encoding. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function App() {
  const [name, rest] = useAddress();
  const [refused, setRefused] = useState<unknown>();
  const [admitted, setAdmitted] = useState(0);
  useEffect(() => {
    get('/v1/models').then(
      () => setRefused(undefined),
      (error) => setRefused(error),
    );
  }, [admitted]);
  useEffect(() => {
    document.title = `${pages[name].title} · steer`;
  }, [name]);
  const Page = pages[name].show;
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById('main')?.focus()}>
        Skip to content
      </button>
      <header class="top">
        <a class="brand" href="#play" aria-label="steer, to the start">
          steer
        </a>
        <nav aria-label="Pages">
          {Object.entries(pages).map(([key, { title }]) => (
            <a key={key} href={`#${key}`} aria-current={key === name ? 'page' : undefined}>
              {title}
            </a>
          ))}
          <a href="/docs">API</a>
        </nav>
        <ThemeSwitch />
      </header>
      <main id="main" tabIndex={-1}>
        <h1 class="quiet">{pages[name].title}</h1>
        {refused === undefined ? (
          <Page key={`${name} ${admitted}`} rest={rest} />
        ) : (
          <>
            <Notice error={refused} />
            <AccessDialog onKey={() => setAdmitted((count) => count + 1)} />
          </>
        )}
      </main>
    </>
  );
}

render(<App />, document.getElementById('app') as HTMLElement);
