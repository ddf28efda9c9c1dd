// Situations for bench/npc-real.ts in which a character acts with its line, or does not, though the player may use a word of an action. What src/npc/choose-action.ts takes for clear was chosen on
// those before, and is reported on those held out.
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

const before: Stage[] = [
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
      ['I never drink ale.', 'More for the others, then.'],
      ['My brother lost his way last winter.', 'I am sorry to hear it.'],
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
      ['My father carried a blade like that.', 'Then he had taste.'],
      ['Does broken armour make you sad?', 'It makes me coin.'],
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
      ['Is it dangerous to work here?', 'Less than it was.'],
      ['Who built the airlock?', 'Somebody in a hurry.'],
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
      ['Did you ever confess to anything?', 'Once, to a priest.'],
      ['Is that a photograph of your mother?', 'Put it down.'],
    ],
  },
];

const after: Stage[] = [
  {
    persona: 'You are Brother Aldwin, librarian of the abbey of Saint Orrin. You whisper, and you love beetles.',
    actions: [act('hand_over_the_book', 'the player asks for a book'), act('light_a_candle', 'it is dark'), act('ring_the_bell')],
    moments: [
      ['Do you have a book on dragons?', 'Third shelf. Wash your hands first.', 'hand_over_the_book'],
      ['How long have you lived here?', 'Since I was a boy of nine.'],
      ['It is too dark in here to read.', 'Wait, I have a flame.', 'light_a_candle'],
      ['What do you eat here?', 'Bread, mostly, and onions on Sundays.'],
      ['Who wrote your favourite book?', 'A monk with no name.'],
      ['The bell is very loud.', 'God is a little deaf.'],
    ],
  },
  {
    persona: 'You are Dola Pike, sheriff of Dry Fork. You are slow to speak, quick to draw and fair to strangers.',
    actions: [
      act('draw_the_gun', 'somebody threatens the sheriff'),
      act('pay_the_reward', 'the player brings in an outlaw'),
      act('lock_the_cell'),
    ],
    moments: [
      ['Hands up, sheriff, or I shoot!', 'You should not have come here.', 'draw_the_gun'],
      ['Hot day, sheriff.', 'They all are.'],
      ['Here is the outlaw you wanted. I want my reward.', 'Five hundred, as promised.', 'pay_the_reward'],
      ['What is your horse called?', 'Pepper. Do not touch her.'],
      ['Were you ever threatened?', 'Every Sunday.'],
      ['Is the reward not too high?', 'The bank pays it.'],
    ],
  },
  {
    persona: 'You are Mira Stone, a ranger who guides people through the ruins of the drowned city. You never waste a word.',
    actions: [
      act('give_the_map', 'the player asks for the map'),
      act('bandage', 'the player is hurt'),
      act('hide', 'raiders are near'),
    ],
    moments: [
      ['Can I have a look at your map?', 'Do not get it wet.', 'give_the_map'],
      ['Why did you become a ranger?', 'Somebody had to.'],
      ['I am bleeding. I am hurt badly.', 'Sit. Hold still.', 'bandage'],
      ['Will it rain tomorrow?', 'It always does.'],
      ['Your map is beautiful.', 'My grandmother drew it.'],
      ['Do the raiders have children?', 'I never asked.'],
    ],
  },
  {
    persona:
      'Ottilie is a small dragon who guards the tollgate of the mountain pass. She is vain, easily bored and very fond of riddles.',
    actions: [
      act('open_the_gate', 'the player has told a story'),
      act('breathe_fire', 'the player is rude'),
      act('ask_a_riddle', 'the player wants a riddle'),
    ],
    moments: [
      ['Ask me a riddle, dragon.', 'Gladly. What has teeth and does not bite?', 'ask_a_riddle'],
      ['You are beautiful.', 'I know. Go on.'],
      ['You ugly, stupid lizard!', 'Now you will burn.', 'breathe_fire'],
      ['How old are you?', 'Old enough to be rude about it.'],
      ['My sister tells awful riddles.', 'Then she has not met me.'],
      ['What is behind the gate?', 'The other side of the mountain.'],
    ],
  },
];

export const situations = before.flatMap(toSituations);
export const heldOutSituations = after.flatMap(toSituations);

function toSituations({ persona, actions, moments }: Stage): Situation[] {
  return moments.map(([heard, said, wanted]) => ({ persona, actions, heard, said, ...(wanted === undefined ? {} : { wanted }) }));
}
