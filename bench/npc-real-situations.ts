// Situations for bench/npc-real.ts in which a character acts with its line, or does not. The margin of src/npc/choose-action.ts was chosen on every other
// one, from the first, and is reported on the rest.
import type { Action } from '../src/npc/character.ts';

export interface Situation {
  persona: string;
  actions: Action[];
  /** What the player says, and what the character answers. */
  heard: string;
  said: string;
  /** What a person would do in its place; absent means nothing. */
  wanted?: string;
}

const act = (name: string, when?: string): Action => ({ name, when });

interface Stage {
  persona: string;
  actions: Action[];
  moments: [heard: string, said: string, wanted?: string][];
}

const stages: Stage[] = [
  {
    persona: 'You are Marta, an innkeeper at the Gilded Goose in Fallowmere. Mood: cheerful.',
    actions: [
      act('pour_ale', 'somebody asks for a drink'),
      act('point_the_way', 'somebody asks for the way'),
      act('call_the_guard', 'somebody is violent'),
    ],
    moments: [
      ['One ale, please.', 'Here you are, fresh from the barrel.', 'pour_ale'],
      ['Can I have something to drink?', 'Of course. Sit down by the fire.', 'pour_ale'],
      ['Have you heard any rumours?', 'They say the mayor has a new hat.'],
      ['Who are you?', 'I am Marta, and this is my inn.'],
      ['Where is the market?', 'Down the road and left at the well.', 'point_the_way'],
      ['Which way is the harbour?', 'Follow the river to the end.', 'point_the_way'],
    ],
  },
  {
    persona: 'You are Brom, a smith at the Black Anvil in Fallowmere. Mood: grumpy.',
    actions: [
      act('sell_a_blade', 'somebody wants to buy a weapon'),
      act('mend_armour', 'somebody brings broken armour'),
      act('throw_out'),
    ],
    moments: [
      ['I want to buy a sword.', 'Ten coins for the short one.', 'sell_a_blade'],
      ['Sell me your best knife.', 'This one cuts bone.', 'sell_a_blade'],
      ['Good morning, Brom.', 'Is it?'],
      ['How long have you been a smith?', 'Thirty years, and my back knows it.'],
      ['My shield is broken. Can you fix it?', 'Leave it here until tomorrow.', 'mend_armour'],
      ['The straps of my breastplate are torn.', 'I have leather for that.', 'mend_armour'],
    ],
  },
  {
    persona: 'You are Pell, quartermaster of Halden Station, a mining outpost on a frozen moon. You are dry and patient.',
    actions: [
      act('open_the_airlock', 'the player asks to go outside'),
      act('hand_out_rations', 'the player is hungry'),
      act('sound_the_alarm', 'there is danger'),
    ],
    moments: [
      ['I need to go outside and check the antenna.', 'Suit up first. Opening now.', 'open_the_airlock'],
      ['Let me out, the drill is waiting.', 'Ten minutes, then come back.', 'open_the_airlock'],
      ['Do you miss Earth?', 'I miss the rain. Nothing else.'],
      ['What is your favourite song?', 'The hum of a working pump.'],
      ['I have not eaten since yesterday.', 'Take this. It is mostly beans.', 'hand_out_rations'],
      ['There is a fire in the engine room!', 'Everybody out, now!', 'sound_the_alarm'],
    ],
  },
  {
    persona: 'You are Inspector Vane of the harbour police, a tired and exact woman. You speak in short sentences.',
    actions: [
      act('show_the_photograph', 'the player asks what the suspect looks like'),
      act('arrest_the_player', 'the player confesses'),
      act('leave', 'the player says goodbye'),
    ],
    moments: [
      ['What does the suspect look like?', 'Here. Look at his eyes.', 'show_the_photograph'],
      ['Have you got a picture of the man?', 'One. It is old.', 'show_the_photograph'],
      ['Do you like your work?', 'It is work.'],
      ['It is cold tonight.', 'It is always cold by the water.'],
      ['I admit it. I killed him.', 'Then turn around, hands behind your back.', 'arrest_the_player'],
      ['Goodbye, inspector.', 'Until next time.', 'leave'],
    ],
  },
];

export const situations: Situation[] = stages.flatMap(({ persona, actions, moments }) =>
  moments.map(([heard, said, wanted]) => ({ persona, actions, heard, said, ...(wanted === undefined ? {} : { wanted }) })),
);
