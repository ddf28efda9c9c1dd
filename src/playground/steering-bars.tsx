// What was asked for beside what a predictor reads in the reply, attribute by attribute; only the first where none read it.
import type { Attribute, Steering } from '../../openapi/schemas.d.ts';
import { decimals } from '../number-text.ts';
import { own } from '../own.ts';

export function SteeringBars({ attributes, steering }: { attributes: Attribute[]; steering: Steering }) {
  const { applied, measured, ground } = steering;
  const isMeasured = attributes.some(({ name }) => own(measured, name) !== undefined);
  return (
    <table class="bars">
      <caption>
        {isMeasured ? 'asked for and measured' : 'asked for; not measured'}
        {ground?.unlike && ', in text unlike what the predictor was trained on'}
      </caption>
      <tbody>
        {attributes.map(({ name, max }) => {
          const asked = own(applied, name);
          const found = own(measured, name);
          const share = (value: number) => `${(100 * value) / max}%`;
          const said = asked === undefined ? 'left open' : `asked for ${asked}`;
          const read = found === undefined ? 'not measured' : `measured ${decimals(found.value, 1)}`;
          return (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td class="bar">
                <div role="img" aria-label={`${name}: ${said}, ${read}`}>
                  {found && <i class="measured" style={{ width: share(found.value), opacity: 0.45 + 0.55 * found.confidence }} />}
                  {asked !== undefined && <i class="asked" style={{ left: share(asked) }} />}
                </div>
              </td>
              <td class="number">{asked ?? '–'}</td>
              {isMeasured && <td class="number strong">{found ? decimals(found.value, 1) : '–'}</td>}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
