// Player lines that lean on what was just said, and lines outside everything a character knows. Data only.
import { type Intent, intent } from '../fragment.ts';

export const replies: Intent[] = [
  intent({
    name: 'why',
    topic: '',
    after: ['*'],
    lines: `Why?|Why is that?|Why do you say that?|How come?|What do you mean?|What makes you say that?|Can you explain that?|Explain yourself.|
      But why?|And why would that be?|For what reason?|I don't understand. Why?|What's the reason?|Tell me why.|Why not?|
      What do you mean by that?|Would you explain?|I wonder why.|Could you tell me the reason?|Why would you think so?`,
    refuse: `Because.|I won't explain.|No reasons today.|I don't explain myself.|No, you heard me the first time.`,
    deflect: `Why not?|Who can say?|It just is.|It's always been like that.|Some things have no reason.`,
    half: `It's a feeling.|Old habit.|Bad experience, mostly.|I have my reasons, and one of them is money.|It has to do with something that happened here.`,
    answer: `I've seen it happen.|Experience.|I learned it young.|Because I've seen it with my own eyes.|Because my mother taught me so.|
      I say it because I care what happens to you.|Because every time I did otherwise, I was sorry.|Because that's how things are done in {town}.`,
    step: `Does that help?|Ask again.|Clear now?|Is that clearer now?|If you want to know more, ask {person}.|Watch for a day, and you'll see it too.|Tell me where you see it differently.`,
    talk: `You ask like a child, and that's no insult.|I had to think about that myself.|Few people want to know the reason.|Every answer has another question behind it.`,
    more: `It took me years to see it.|You'd say the same in my place.|There's nothing more behind it.|I don't say it lightly.`,
    quip: `The goose insisted.|Because cheese.|My hat decided.|Science, probably.`,
    joke: `I asked myself the same, and I changed the subject.|Because I said so, and I'm the tallest person in my chair.|
      My brain made a list of reasons, but the goat ate it.|I was told to say it by a very bossy turnip.`,
    tint: `Reasons grow like roots.|Whys are little birds.|Because rivers fall.`,
    image: `A why is a stair that goes on down into the dark.|The reason lies under it like stone under snow.|Ask a river why it bends, and it'll sing instead.`,
  }),
  intent({
    name: 'more',
    topic: '',
    after: [
      'rumour',
      'legend',
      'history',
      'whereami',
      'past',
      'family',
      'love',
      'work',
      'festival',
      'danger',
      'beast',
      'magic',
      'dream',
      'joke',
      'hobby',
      'pet',
      'travel',
      'book',
    ],
    lines: `Tell me more.|Go on.|What else?|And then?|Is there more?|I'd like to hear more.|What happened next?|Please continue.|
      Don't stop now.|Really? Tell me more.|Anything else?|That's interesting. Go on.|And?|Is that all?|What else can you tell me?|
      Say more about that.|Could you tell me a little more?|I want to know everything.|Keep talking.|You can't stop there.`,
    refuse: `No.|That's all.|I've said enough.|I won't say another word about it.|No, you've heard all you'll hear.`,
    deflect: `Perhaps another time.|Where was I?|It's a long tale.|I've forgotten the rest.|There's always more.`,
    half: `A little more, then.|One thing.|It gets stranger.|There's one more thing, but I'm not sure of it.|It went on for a while, and then it stopped.`,
    answer: `{person} was there too.|It happened twice.|There were three of them.|It didn't end there, {person} came in the middle of it.|
      The next morning everything was back in its place.|Then the whole town heard of it, and nobody slept.|It ended at {landmark}, in the rain.|
      There was a letter as well, and I still have it.`,
    step: `Ask {person}.|Enough for now?|Go and see.|If you want the rest, ask {person}.|Come back on {day}, and I'll tell you the end.|I can show you the place if you like.`,
    talk: `You're a good listener.|I haven't told this in a long time.|It makes me a little sad to remember.|My mouth is dry from all this talking.|The best part is the one nobody believes.`,
    more: `I remember it like yesterday.|That's the part I like best.|Nobody has ever asked for more before.|After that, things were different.`,
    quip: `Then soup happened.|Enter the goose.|Insert cheese here.|The hat survived.`,
    joke: `And then I woke up, and my pillow was gone.|The rest involves a goose, so I need to sit down.|
      After that everyone went home and argued about the hat.|There's more, but it costs a cake.`,
    tint: `The tale has roots.|It unrolls like fog.|Echoes add verses.`,
    image: `The rest of it lies deeper, like a bell under a lake.|Each story has a back door that opens on the sea.|The tale goes on without me, like a river at night.`,
  }),
  intent({
    name: 'repeat',
    topic: '',
    after: ['directions', 'price', 'rumour', 'name', 'reward', 'quest', 'hour', 'person', 'whereami', 'distance'],
    lines: `What did you say?|Can you say that again?|Sorry, I didn't hear you.|Could you repeat that?|Once more, please.|Pardon?|
      Say that again.|I wasn't listening. What was that?|Come again?|I missed that.|Excuse me, what?|Please repeat that.|
      Could you say it more slowly?|I didn't understand you.|What was that?|One more time, please.|It's loud here. What did you say?|
      Speak up, please.|My ears are bad. Again?|Did I hear that right?`,
    refuse: `No.|Once is enough.|I won't repeat it.|I said it once, and that's enough.|No, listen the first time.`,
    deflect: `What did I say?|Something or other.|It wasn't important.|I lose track myself.|You heard half of it, surely.`,
    half: `As I said, yes.|More or less that.|I said what I said.|I only said that you should ask {person}.|It was something about {landmark}.`,
    answer: `Of course.|I'll repeat it.|Once more, then.|I'll say it slowly: ask {person} at {landmark}.|Gladly: go to {person}, who can help you.|I said that {person} at {landmark} knows more.`,
    step: `Clear now?|Write it down.|Got it?|Shall I write it down for you?|If you forget it, come back to {place}.|Say it back to me, and we'll both be sure.`,
    talk: `The wind carries words away.|I mumble when I'm tired.|My voice isn't what it was.|There's a lot of noise today.|My teacher told me to speak up.`,
    more: `That's really all there is to it.|It's shorter the second time.|You'll remember it now.|I don't mind saying it twice.`,
    quip: `Wash your ears.|Even the goose heard.|I said cheese.|Echo, echo.`,
    joke: `I said it so well that I'm not sure I can do it again.|The second time costs a cake.|
      I'd repeat it, but I wasn't listening either.|Ask the goose, she takes notes.`,
    tint: `Words fly off.|The wind has it.|Echoes still hold it.`,
    image: `My words must have slipped past you like fish.|The wind picked it up and put it in its pocket.|I'll hang it in the air again like a lamp.`,
  }),
  intent({
    name: 'doubt',
    topic: '',
    after: ['directions', 'price', 'work', 'healing', 'advice', 'past', 'love', 'magic', 'beast', 'secret', 'dream', 'history'],
    lines: `I don't believe you.|Really?|Are you serious?|You're joking.|Is that so?|That can't be true.|You must be joking.|Seriously?|
      No way.|I find that hard to believe.|Do you mean it?|Honestly?|You're making that up.|That sounds strange.|I doubt that.|
      Are you telling me the truth?|Can I trust you?|Don't lie to me.|I'm not sure I believe that.|Is that a joke?`,
    refuse: `Then don't.|Believe what you like.|I won't argue.|I don't need you to believe me.|No, I won't swear to anything.`,
    deflect: `Who knows?|Perhaps.|It sounds odd, yes.|The truth is often strange.|I hardly believe it myself.`,
    half: `Mostly true.|More or less.|As far as I know.|The main part is true, the rest I heard.|I may be wrong about the details.`,
    answer: `It's true.|I mean it.|I swear.|It's true, I swear on my mother.|I'm serious, I wouldn't lie to you.|Every word of it is true.|I saw it myself, so yes.`,
    step: `Ask anyone.|See for yourself.|Ask {person}.|Ask {person}, who'll say the same.|Go and look at {landmark}, then come back.|Take my hand on it.|Ask anyone in {town}, and you'll hear it again.`,
    talk: `Nobody believed me at first.|I have an honest face, but it's no use.|I'm a poor liar anyway.|You're right to be careful.|My own sister laughed at it.`,
    more: `I have no reason to lie.|You can check it.|I'd bet my boots on it.|Others have seen it as well.`,
    quip: `Cross my cheese.|Goose's honour.|Would this hat lie?|Mostly, yes.`,
    joke: `If I'm lying, may my soup stay cold for a week.|I only lie about my age, my weight and the cake.|
      I'd look you in the eye, but it's that one's day off.|Ask the goat, but speak slowly.`,
    tint: `Truth shines through frost.|Lies leave footprints.|Doubt is thin ice.`,
    image: `The truth stands there like a tree, whether you look or not.|Doubt is a fog that thinks it's a wall.|My word is a small bridge, but it carries carts.`,
  }),
  intent({
    name: 'opinion',
    topic: 'my opinion of you',
    lines: `What do you think of me?|Do you like me?|Are we friends?|Do you trust me?|What do I look like to you?|Would you call me a friend?|
      Am I a good person?|Do you hate me?|How do I look?|What's your opinion of me?|Do you think I'm brave?|Are you glad I came?|
      Would you miss me?|Do I bother you?|Do you find me strange?|Can we be friends?|Be honest, what do you think of me?|
      Do you think I'm clever?|What was your first impression of me?|Do you enjoy talking to me?`,
    refuse: `I won't say.|No comment.|I keep my opinions.|I don't judge people aloud.|No, you wouldn't want to know.`,
    deflect: `Hard to say.|We only just met.|You have two eyes.|People are puzzles.|Ask me in a year.`,
    half: `You're all right.|You seem fine.|I've met worse.|You seem honest, but I've been wrong before.|I like your boots, at least.`,
    answer: `I like you.|You're kind.|We're friends.|I like you, you listen when people talk.|You have a good heart, I think.|You're brave, and a little lost.|Yes, I'd call you a friend.|I trust you more than most.`,
    step: `And me?|Stay longer.|Come back soon.|And what do you think of me?|Stay a little longer, and I'll know better.|Eat with us on {day}, as friends do.|Keep asking such questions, it suits you.`,
    talk: `First impressions are like first pancakes.|I look at the hands, not the clothes.|You walk like someone with a plan.|I don't meet many people I like.`,
    more: `You said thank you, and few do.|You remind me of my brother.|My cat likes you, and she likes nobody.|You've got honest eyes.`,
    quip: `Better than geese.|Seven out of pie.|Nice ears.|My hat likes you.`,
    joke: `You're my favourite person in this room, and it's just us.|I like you more than soup, but less than cake.|
      You have a face like a sunny barn door.|I'd save you from a fire, right after the cheese.`,
    tint: `You carry weather.|Your shadow hums.|You smell of roads.`,
    image: `You're like a letter I haven't finished reading.|There's a lamp lit behind your eyes.|You came in with a little piece of sky on your shoulders.`,
  }),
  intent({
    name: 'outside',
    topic: 'such far-off things',
    lines: `What's the capital of France?|Can you write some code for me?|Who won the football game?|What's two hundred times forty?|How do computers work?|
      Who is the president?|Tell me about the internet.|What's the stock market doing?|Can you book me a flight?|What's the speed of light?|
      Translate this into Spanish.|Solve this equation for me.|What's quantum physics?|Can you play a video for me?|
      Write me an essay about the economy.|What's the best phone to buy?|#robot Are you a robot?|#robot Are you a computer?|How many people live in China?|
      What's the chemical formula of salt?|Explain the theory of relativity.|Can you fix my printer?|#robot What's your programming language?|
      How do I install an app?|What did the newspaper say about the election?`,
    refuse: `No.|I won't try.|Not from me.|I don't talk about such things.|No, and please don't ask again.`,
    deflect: `Strange words.|Is that a place?|You ask odd things.|I don't follow you.|That sounds very far away.`,
    half: `Not my field.|I know little of that.|I couldn't tell you.|I've heard such words, but I can't explain them.|That's beyond me, I'm sorry.`,
    answer: `I don't know.|That's beyond me.|I can't know that.|I don't know anything about that, I'm sorry.|I'd be lying if I gave you an answer to that.|
      That's outside what I know.|I only know the things around here.|
      #robot Not that I know.|#robot I'm just me.|#robot I don't think so.|#robot I don't know what that is, I'm only a person of {town}.|#robot I'm flesh and bone as far as I can tell.|#robot What a strange word, I'm just myself.`,
    step: `Ask something else.|Ask about {town}.|Try me differently.|Ask me about the weather, the road or the food instead.|Ask me something about {town}, that I know.|
      If you tell me what it is, I'll listen gladly.|Let's talk about your journey instead.`,
    talk: `You use words I've never heard.|The world is bigger than my kitchen.|My head is made for simpler things.|You must have come from far away.|I know bread, boots and people.`,
    more: `I'd rather be honest than clever.|Others may know it, but nobody here.|It's no shame not to know.|Here we talk of harvests and neighbours.`,
    quip: `Ask a wizard.|Is it edible?|The goose shrugged.|Sounds contagious.`,
    joke: `I tried to think about that, and now my hat is warm.|Is that a cheese or a disease?|
      The goat knows, but she wants to be paid by the letter.|My brain went out for soup when you said that.`,
    tint: `Your words are comets.|Unknown stars, those.|It sounds like moonspeak.`,
    image: `Your question flew over my roof like a strange bright bird.|My world is a small garden with a high wall of stars.|You speak of islands that no map of mine has met.`,
  }),
];
