// Fragments any character can use whatever the player said; {topic} is the subject of the player's line. Data only.
import { pool } from './fragment.ts';

/** Refusals, deflections and half answers for lines that have a topic: helpfulness 0, 1, 2. */
export const aboutTopic = {
  refuse:
    pool(`No.|No comment.|I won't say.|Not today.|Ask someone else.|I won't talk about {topic}.|Not a word about {topic} from me.|
You'll get nothing from me about {topic}.|I'm not going to discuss {topic}.|I'd rather not speak of {topic}.|
{topic} is none of your concern.|Find someone else to ask about {topic}.|I have nothing to say about {topic}.|No, I won't help you with that.|
I'm keeping that to myself.|My lips are closed on {topic}.|Don't ask me about {topic} again.|That's not something I share.`),
  deflect:
    pool(`Hard to say.|Who knows?|It depends.|Perhaps.|Ask around.|I couldn't say much about {topic}.|I only know a little about {topic}.|
{topic} isn't really my field.|Someone at the market may know more about {topic}.|I've heard things about {topic}, but nothing certain.|
It's a long story, and I forget most of it.|You'd have to ask someone older about {topic}.|I've never thought much about {topic}.|
Let's talk about {topic} another time.|There are many opinions about {topic}.|That would take some thinking.`),
};

/** Why somebody will not help; fills out refusals and deflections. */
export const excuses = pool(`I gave my word.|I've said too much already.|My head aches today.|It isn't my place to say.|
I have work to finish first.|The last person who asked never came back to say thanks.|I learned long ago to stay out of such things.|
There are ears everywhere in {town}.|I don't know you well enough yet.|I've had a long day and a short night.|
Some things are better left alone.|I've been asked that too often this week.|I promised someone I'd keep out of it.|
It would only bring trouble to my door.|You wouldn't like what I'd have to say.|I'm not the right person for this.`);

/** Remarks that neither answer nor refuse, safe beside any core. */
export const remarks =
  pool(`People ask me about {topic} now and then.|We talked about {topic} only yesterday.|I was thinking about {topic} this morning.|
You're not the first to bring up {topic}.|My father had strong views on {topic}.|Strangers often wonder about {topic}.|
I've heard it asked in many ways.|Questions like that make the day go faster.|
There's more than one side to {topic}.|I could talk about {topic} all evening.|It comes up more often than you'd think.`);
/** The same for courtesies, which have no topic. */
export const courtesies =
  pool(`The day has been long, and it isn't over yet.|Not many people stop to talk anymore.|It's quiet here at this hour.|
A few words make the work lighter.|We don't get many new faces in {town}.|You have the look of someone who has come far.|
I was just about to take a break.|It's good to hear a human voice.|There's always someone at {place} to talk to.|
Some days I speak to no one at all.|The whole street could hear you coming.`);

export const openings =
  pool(`Let me think.|Let me see.|Good question.|Ah, that.|A moment.|Oh, I see.|Hm.|I was waiting for that one.|So you want to know.|
Now then.|That's easy.|Where do I begin?|You came to the right place.|Ah, there you are.|Fair enough.`);
/** Openings of someone who will not help. */
export const coldOpenings = pool(
  `Hm.|Ah, that.|Let me think.|Oh, I see.|That again.|I feared you'd ask that.|Not that one.|Ah, there it is.`,
);
/** Openings of a courtesy. */
export const courtesyOpenings = pool(
  `Ah.|Oh.|Ah, there.|Oh, it's you.|One moment.|Look at that.|Imagine that.|Let me sit down first.|I was miles away.|Oh, I was just thinking of you.`,
);
export const closes = pool(`That's how it is.|That's all I have for now.|There you have it.|Make of that what you will.|
I hope that's clear.|And that's the truth of it.|The rest is up to you.|Think it over.|You'll see what I mean.|
So much for that.|Now you know where I stand.|Life goes on.`);
export const kindCloses =
  pool(`Take care of yourself.|I wish you luck.|It's good to see you.|You're welcome here.|Mind how you go.|
I'm glad you asked me.|You have a kind face.|Come by whenever you like.|Stay safe out there.|It was no trouble.`);

/** Openers of sentences that go on from the one before. */
export const connectors = [
  'Besides, ',
  'Mind you, ',
  'After all, ',
  'And ',
  'As it happens, ',
  'Then again, ',
  'To tell the truth, ',
] as const;
/** Little noises around a joke; they count as part of it. */
export const laughs = ['Ha! ', 'Heh. ', 'Ha, ha! '] as const;

export const quips =
  pool(`No refunds.|Blame the goose.|My knees agree.|Ask my goat.|The soup said so.|Don't tell the chickens.|My hat agrees.|
Ha, nearly true.|Quack.|Cheese, too.|Honk honk.|Ask geese.|Only joking, mostly.|The cat voted yes.|My left sock agrees.|Geese not included.|Pay me in cheese.|
No geese were harmed.|Please clap.|My donkey disagrees.|The pie made me say it.|Terms and turnips apply.|I blame the cheese.|
My grandmother bet on it.|Laugh now, please.|The goat wrote that.|Applause is optional.`);
export const jokes =
  pool(`My goat has better ideas, but she charges for them.|I'd ask the chickens, but they only talk about eggs.|
I once knew the answer to everything, and then I sneezed.|If I were any wiser, my hat would not fit.|
My memory is excellent, except for yesterday and most of today.|I tried being serious once, and it gave me a rash.|
My mother-in-law says the opposite, so it must be right.|I'd bet my last cheese on it, and I love that cheese.|
The cat knows more, but the cat wants a lawyer.|I had a plan, but the goose ate it.|My doctor told me to laugh more, so I looked at his bill.|
I'm not lazy, I'm saving my energy for soup.|My knees crack so loudly that people think I'm applauding.|
I used to be handsome, and then I bought a mirror.|A wise man told me to count to ten, and I got lost at six.|
My donkey and I share one brain, and today it's his turn.|I laughed so hard at that once that my trousers gave up.|
I fell asleep in a wheelbarrow and woke up in another town.|My cooking is so bad that the mice order in.|
I sold my hourglass, because I never had the time.`);
/** Whole replies that are nothing but a joke, very short; they hardly answer. */
export const gags =
  pool(`Ask my goat.|Soup first.|Quack.|Wrong donkey.|Ask the turnips.|Socks, mostly.|Cheese!|Only on cheese day.|Not without my trousers!|Soup first, questions later.|My goose handles that.|
Ha! Ask the chickens.|Wrong donkey, try again.|Pay the duck first.|My hat says maybe.|Consult the turnips.|Sorry, I'm a cabbage.|
The cat signs everything here.|Cheese is always the answer.|Knock first, says my goose.|Out of jokes, try soup.`);
export const tints = pool(`So says the wind.|The river told me.|The moon agrees.|Ask the listening stones.|The old stones know.|
So the rain says.|As the crows sing it.|The dusk keeps it.|
The stars lean in.|It hums like bees.|The shadows nod along.|The rooks said so.|A candle told me.|The hills hum it.|Frost wrote it down.|
The lake dreamed it.|Moonlight agrees.|Rivers whisper it.|Stars nod.|Frost knows.|Ravens agree.|Embers nod.|
The dawn will tell.|The leaves repeat it.|The bells heard it.|The dark knows why.|The clouds spell it.|Owls agree on it.`);
export const images =
  pool(`The day hangs over {town} like a lamp someone forgot to put out.|Words are birds, and some of mine fly home at night.|
{topic} moves through my mind like a slow barge under a bridge of stars.|The wind has been carrying {topic} from roof to roof all week.|
Somewhere a clock made of rain is counting for both of us.|Luck walks on soft feet and hates to be followed.|
I keep the thought of {topic} in a jar, and at night it glows.|The truth is a shy deer at the edge of a bright field.|
The sky over {town} is an old coat with a silver lining.|My heart is a house with one window always open.|
Yesterday is a country I can see but cannot enter.|The morning came in barefoot and sat down beside me.|
Ask twice, and {topic} turns into smoke with a story in it.|Time is a patient river that smooths every stone.|
A small answer can open a large door, like a key made of straw.|The silence between us is full of small blue lanterns.`);
/** Whole replies that are one strange image, very short; they hardly answer. */
export const visions =
  pool(`Ask the rain.|Winter knows.|Follow the moon.|Moths know.|Roots remember.|The rain knows, ask softly.|Listen to the sleeping stones.|Moonlight keeps that ledger.|Follow the blue silence.|
The river spells it nightly.|Ask the snow's memory.|Crows carry that secret westward.|Shadows fold around it.|The stars misplaced that.|
It sleeps in amber.|Winter wrote that down.|The echo left yesterday.|Dreams answer in feathers.|Only the tide remembers.`);

/** Rudeness by level: curt, rude, insulting, hostile. Index 0 is unused. */
export const rude = [
  pool(''),
  pool(`Quickly.|Busy.|Enough.|Quick, now.|No time.|Hurry.|Hurry up.|I'm busy.|Make it quick.|Enough talk.|I haven't got all day.|Don't waste my time.|Is that all? I'm busy.|Let's keep this quick.|
I have enough to do without this.|You're standing in the way, so hurry.|Say it quickly next time.|I was busy before you came.|
That's enough of my time.|Be quick about it.|Some of us are busy.|I don't enjoy being bothered.|Don't bother me twice.`),
  pool(`What a stupid question.|Stupid question.|Shut it.|How dull.|You bore me.|Silly question.|Go away, I'm busy.|Nobody asked you.|That was daft.|Use your own eyes, this is tiresome.|Stop bothering me with such rubbish.|
You talk too much and say nothing of use, how dull.|You're awfully tiresome.|Your manners are rubbish.|I'm sick of people like you.|
What a waste of breath.|Do you always ask such daft things?|That's the dullest thing I've heard, and a waste of air.|
You're a bore, and a loud one.|Only a bore would ask that.|Shut the door and shut your mouth.|You smell of wet dog.|
I'm tired of your silly face already.|Think before you speak, it's not so hard to have sense.`),
  pool(`You fool.|Fool.|Idiot.|Blockhead.|Numbskull.|Dimwit.|You oaf.|You clod.|You're an idiot.|Useless lump.|You witless toad.|You're a fool, and everyone in {town} can see it.|
You have the brains of a bucket, you dolt.|I've scraped smarter things than you off my boots.|You're a useless lump in expensive boots.|
Even for a blockhead you are slow.|You pathetic little nuisance.|You're as thick as a plank, you oaf.|Only a dimwit like you would need to ask.|
You're hopeless, and you smell like it.|You clod, you could not find your own nose.|Your mother must be very patient with such a dolt.|
I've met ugly mules with more sense than you.|You coward, you hide behind silly words.|You're a worthless oaf.`),
  pool(`Get out!|Out, you oaf!|Go away, wretch!|Last warning, fool!|Leave, or else!|Get lost, fool!|Clear off, idiot!|Out of my sight!|Get out of {place} before I throw you out, you fool.|
Clear off, you worthless lump, or I call the dogs.|Get out of my sight, you idiot, and never come back.|
One more word and I throw you out, you oaf.|Leave now, or I set the dogs on you, you toad.|This is your last warning, you wretch, so get out.|
I'll kick you down the road myself if you stay, you useless clod.|Move, or I throw you out like the rubbish you are.|
If you come back, I'll chase you off with a broom, you wretch.|Go away before I lose my temper, you miserable pest.|
Get out, or I'll have you thrown into the pond, idiot.`),
] as const;
/** Ways a player leads up to a line, and what may trail it. */
export const playerLeads = [
  '',
  '',
  '',
  '',
  '',
  '',
  'Excuse me, ',
  'Hello! ',
  'Hey, ',
  'Good day. ',
  'Please, ',
  'Tell me, ',
  'Listen, ',
  'So, ',
  'Um, ',
] as const;
/** What joins two requests in one line. */
export const playerLinks = [' And ', ' Also, ', ' And one more thing: ', ' Oh, and '] as const;
