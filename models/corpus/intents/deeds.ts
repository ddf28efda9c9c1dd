// Player lines that do something: asking for work, pay, help; threatening, flattering, insulting, bribing, boasting, inviting. Data only.
import { type Intent, intent } from '../fragment.ts';

export const deeds: Intent[] = [
  intent({
    name: 'quest',
    topic: 'work',
    lines: `Do you have any work for me?|I'm looking for work.|Can I help you with anything?|Is there a job for me?|Need a hand?|I need to earn some money.|
      Do you need any help?|Have you got a task for me?|Any jobs around here?|Can I do something for you?|I'm ready for adventure.|
      Who needs help in {town}?|Is there a quest for me?|Give me something to do.|I want to make myself useful.|I could use some work.|
      What needs to be done?|Do you know anyone who needs a strong arm?|Put me to work.|I'd like to earn my supper.`,
    refuse: `No work.|Not for you.|I don't hire strangers.|I need no help from you.|No, I do everything myself.|There's nothing here for you to do.`,
    deflect: `Perhaps.|Ask around.|Can you even lift things?|There's always work for those who see it.|That depends on what you can do.|Somebody always needs something.`,
    half: `A small thing.|Perhaps on {day}.|Something small.|There is something, but it's not ready yet.|I might need a hand soon, with a small thing.|There's a job, but it isn't a nice one.`,
    answer: `Yes, {task}.|You could {task}.|I need someone to {task}.|Yes, I need someone to {task}.|If you want work, {task}.|
      There's one thing: {task}.|You'd help me if you could {task}.|Yes, {task}, and I'll be grateful.|I've been waiting for someone to {task}.`,
    step: `Start today.|I pay {reward}.|Do it tonight.|I'll pay you {reward}.|Do it before {day}, and I'll give you {reward}.|
      Start at {landmark} and ask for {person}.|Take this lantern, and be careful of {danger}.|Come back when it's done, and {reward} is yours.`,
    talk: `Good help is hard to find.|The last one ran away at noon.|There's more work than hands in {town}.|I'm not as young as I was.|I put up a note, but nobody reads notes.`,
    more: `It should take one evening.|It's harder than it sounds.|I'd do it myself, but I can't leave {place}.|{person} tried it last week and failed.|You'd need good boots for it.`,
    quip: `Bring snacks.|The goat quit.|No hat required.|Paid in pie.`,
    joke: `I need someone to count the clouds, but the last one got lost at four.|You could scratch my back, but the pay is low.|
      I need someone to argue with the goose, and to lose.|My last helper did nothing for a week, and now he's mayor.`,
    tint: `Work ripens like plums.|A task is calling.|The road hungers.`,
    image: `A task is a thread, and you never know what hangs on the end.|There's a small storm in need of a broom.|The work lies there like a sleeping dog, so step softly.|Every errand is a seed of a longer story.`,
  }),
  intent({
    name: 'reward',
    topic: 'your reward',
    after: ['quest'],
    lines: `What's the pay?|What do I get for it?|How much will you pay me?|What's in it for me?|Is there a reward?|And the reward?|
      What do you offer?|How much is it worth to you?|Will I be paid?|What will you give me?|That sounds hard. What's the reward?|
      I don't work for free. What's the pay?|How much silver is in it?|And what do I earn?|What would I get?|Is it well paid?|
      What's my share?|Name the reward.|Tell me about the money.|Would you pay in advance?`,
    refuse: `Nothing.|No pay.|I won't pay you.|I don't pay for favours.|No, a good deed is its own reward.`,
    deflect: `We'll see.|Enough.|It depends on the result.|Do it first, then we'll talk.|You won't starve.|Money isn't everything.`,
    half: `A little.|Some coins.|A meal, perhaps.|I can pay something, but not much.|I'd give you a meal and a little more.`,
    answer: `{reward}.|I'll pay {reward}.|You'll get {reward}.|For that I'd give you {reward}.|The reward is {reward}.|When it's done you get {reward}.|I promise you {reward}.`,
    step: `Half now.|Deal?|Shake on it.|I'll give you half now and half when it's done.|Bring proof, and you'll have it the same day.|
      Do it by {day}, and I'll add a meal.|Shake hands on it, and start today.`,
    talk: `I keep my word.|Times are hard for everyone.|Money comes and goes, but mostly goes.|I've asked others, and they wanted more.|You think like a merchant.`,
    more: `It's more than {person} would pay.|I put the money aside already.|I've never cheated anyone.|That's a week of my earnings.`,
    quip: `Plus one hug.|Cheese on top.|Buttons count double.|Goose excluded.`,
    joke: `I could pay you in advice, I have sacks of it.|You may keep the goat, and that's a threat.|
      I'd pay in gold, but gold and I have never met.|You get my thanks, and my thanks has a small cake in it.`,
    tint: `Silver dreams of you.|Coins hum like bees.|Rewards ripen slowly.`,
    image: `The coins are waiting in the drawer like little sleeping suns.|A promise is a purse with a long string.|Reward walks a few steps behind the work, like a shy dog.`,
  }),
  intent({
    name: 'accept',
    topic: '',
    after: ['quest', 'reward'],
    lines: `I'll do it.|I accept.|You can count on me.|Consider it done.|All right, I'm in.|Fine, I'll take the job.|I'll help you.|
      When do I start?|Leave it to me.|I'll start right away.|Agreed.|I'd be glad to help.|I'll see what I can do.|Yes, I'll do it for you.|
      Good, we have a deal.|I'm your man for this.|I won't fail you.|Let's do it.|Count me in.|I'll take it on.`,
    refuse: `Too late.|I changed my mind.|No, forget it.|I've already given it to someone else.|I don't want your help anymore.`,
    deflect: `We'll see.|If you say so.|Many have said that.|Saying is easy.|I'll believe it when it's done.`,
    half: `Good, then.|All right.|Fine by me.|Good, but don't be late.|Try not to break anything.`,
    answer: `Excellent!|Wonderful!|Thank you!|Good, I trust you.|That's a weight off my shoulders.|I knew I could count on you.|Good, that makes me very glad.|Splendid, I feel better already.`,
    step: `Start at {landmark}.|Go now.|Take this.|Start at {landmark}, that's the best place.|Take this lantern, you'll need it.|
      Ask for {person}, who knows the way.|Be back before {day}, and be careful of {danger}.|Come straight to me when it's done.`,
    talk: `The last one gave up halfway.|I wouldn't ask if I could do it myself.|It matters more than it sounds.|Few people keep their word today.`,
    more: `I'll leave the door open for you.|I'll keep something warm on the fire.|You have an honest handshake.|I'll tell {person} to expect you.`,
    quip: `Pack a sandwich.|Take my good spoon.|The goat salutes.|Mind your trousers.`,
    joke: `If you don't come back, may I have your hat?|I'd come along, but my knees signed no contract.|
      I'll be with you in spirit, and in bed.|Should you meet a goose, act like bread.`,
    tint: `The road pricked up.|Fortune turned her head.|The stars took note.`,
    image: `Your words are a lamp hung out in a long street.|The road is already tugging at your sleeve.|Somewhere a small door has just unlocked itself.`,
  }),
  intent({
    name: 'help',
    topic: 'your trouble',
    lines: `Please help me.|I need help.|Can you help me?|Help!|I'm in trouble.|I need your help, {name}.|Could you do me a favour?|
      #trouble Someone is following me. Help me.|I don't know what to do.|#trouble I've lost everything. Please help.|Can I ask you for help?|
      I'm in a difficult situation.|You have to help me.|Will you help a stranger?|I have a problem.|#trouble I was robbed on the road.|
      #trouble I've nowhere to go.|#trouble They took my money. What can I do?|I beg you, help me.|Is there anyone who can help me?`,
    refuse: `No.|Not my problem.|I can't help you.|I don't help strangers.|No, your trouble is your own.|Help yourself, as I did.`,
    deflect: `Perhaps.|What is it now?|Everyone needs help.|Trouble is common around here.|Have you asked anyone else?|It may pass on its own.`,
    half: `A little, perhaps.|For a moment.|I can listen.|I can give you a bowl of soup, no more.|I could hide you until noon, but then you must go.|I can't do much, but I can listen.`,
    answer: `Of course.|Yes, I'll help.|Come in, quickly.|You're safe here.|I'll help you, don't worry.|Come in, nobody will look for you here.|
      Yes, you can stay here until it's over.|I'll speak to the captain for you.|Take this coin and get something to eat.|
      #trouble Come inside.|#trouble Stay here tonight.|#trouble You're safe here.|#trouble Come in, nobody will look for you here.|#trouble I'll speak to the captain for you.|#trouble Take this coin and get something to eat.|#trouble You can stay here until it's over.`,
    step: `Sit down.|Tell me everything.|Stay tonight.|Sit down and tell me everything from the start.|Go to {person} at {landmark} and say that I sent you.|
      Sleep here tonight, and tomorrow we'll sort it out.|Let's write down who did it and bring it to the guard.|Wait until dark, then follow me.`,
    talk: `I was in trouble myself once.|You look as if you've been running.|Bad luck comes in threes.|The roads have been unsafe since spring.|Breathe first, then talk.`,
    more: `Nobody comes to {place} at this hour.|I have a spare blanket.|You aren't the first I've helped.|We look after people here.`,
    quip: `The goose guards us.|Hide behind cheese.|My cat bites.|Soup helps most.`,
    joke: `I have a plan, and it has only nine holes.|My goat once got me out of jail, so I'll ask her.|
      I'd give you my shirt, but you'd need to see it first.|Last time I helped someone, I ended up married.`,
    tint: `Storms run out of rain.|Dawn mends a lot.|Lean on warm stones.`,
    image: `Trouble is a wolf, but even wolves dislike a lit door.|Put your worry down here, it's heavy as wet wool.|A bad day is only a narrow bridge.|You came in shaking like a leaf with the storm still on it.`,
  }),
  intent({
    name: 'threat',
    topic: '',
    lines: `Give me all your money.|I'm warning you.|Do as I say, or else.|You'll regret this.|Hand it over.|Don't make me angry.|I could hurt you, you know.|
      This is a robbery.|Tell me, or you'll be sorry.|You don't know who you're dealing with.|I'll tell everyone your secret.|I'll burn this place down.|
      Out of my way.|One wrong move and you're done.|I have a sword, and I'm not afraid to use it.|Watch your back, {name}.|
      You have until sunset.|I'll come back with my friends.|Pay up, or there'll be trouble.|Move, or I'll make you move.`,
    refuse: `No.|Try it.|I won't.|You get nothing.|I don't give in to threats.|No, and you can't make me.|I'm not moving an inch.`,
    deflect: `Is that so?|We'll see.|Many have said that.|You sound like my brother.|Are you finished?|Big words for one person.`,
    half: `Calm down.|Easy now.|Take a breath.|I have a few coins, but that's all.|Let's not do anything we'd regret.|Put that down, and I'll think about it.`,
    answer: `Let's talk instead.|I don't want trouble.|Take it and go.|There's no need for this, let's talk.|You can have what's in the drawer, just stay calm.|
      I'll do what you ask, so lower your voice.|Nobody has to get hurt, I'll help you.`,
    step: `Sit down first.|Tell me why.|Eat something.|Sit down and tell me what you really need.|If you need money, there's honest work at {landmark}.|
      Put it away, and I'll forget that you came in like this.|Have a meal first, then decide what kind of person you are.`,
    talk: `The watch comes past here every hour.|My hands are older than your anger.|I've been threatened by better people and by worse.|Hunger makes people loud.|The door behind you is open.`,
    more: `I saw nothing and I'll say nothing.|Fear is a poor way to make friends.|You're not a bad person, just a tired one.|We can both walk away from this.`,
    quip: `My goose bites.|Oh no, my cheese.|Take the goat.|I'm all goosebumps.`,
    joke: `You can have all my money, it's under the other nothing.|I'd be more afraid if your trousers were not inside out.|
      The last robber left richer by one cold and a pie.|Threaten me after lunch, I scare better on a full stomach.`,
    tint: `Thunder often passes.|Anger is borrowed fire.|Storm clouds tire.`,
    image: `Your anger rattles in the room like hail on a tin roof.|A threat is a shadow that wants to be a wolf.|The knife of your voice is sharp, but your eyes are rain.|Even the fiercest wave ends as foam on quiet sand.`,
  }),
  intent({
    name: 'flattery',
    topic: '',
    lines: `You're very kind.|You look wonderful today.|I like you.|You're the best {trade} I know.|You're so clever.|I've never met anyone like you.|
      Everyone says you're the best.|What a lovely place you have.|You have beautiful eyes.|I admire you.|You're smarter than you look.|
      You must be very strong.|People speak highly of you.|You're my favourite person in {town}.|That's a fine hat.|You have a good heart, {name}.|
      You're doing a great job.|I wish there were more people like you.|You have a beautiful voice.|You're a true friend.`,
    refuse: `Stop that.|Save it.|No flattery.|I don't want your compliments.|Flattery gets you nothing here.|I know what I am, so stop.`,
    deflect: `Hm.|What do you want?|You say that to everyone.|Is it my birthday?|Others see it differently.|My mirror tells another story.`,
    half: `If you say so.|Perhaps a little.|That's a bit much.|It's nice to hear, even if it isn't true.|Somebody had to notice one day.`,
    answer: `Thank you!|How kind!|That's lovely of you.|Thank you, that made my day.|You're too kind, thank you.|Thank you, I like you as well.|That warms my heart, thank you.|I'll remember that all winter.`,
    step: `Sit with me.|Have a drink.|You too.|Sit down, the first drink is on me.|Tell me how I can return the kindness.|
      For that you get the best chair at {place}.|Come by on {day}, and I'll cook for you.|Say it again in front of {person}, please.`,
    talk: `I'm blushing, and it's not the fire.|Nobody says such things before noon.|My mother would be pleased.|I hear complaints more often than praise.|It's been a week without a kind word.`,
    more: `I did comb my hair this morning.|A good word costs nothing and lasts long.|You have an eye for quality.|I try my best every day.`,
    quip: `My goat agrees.|Tell my hat.|Louder, please.|Finally, a genius.`,
    joke: `Go on, I have until Thursday.|Say that again slowly, I want to frame it.|
      You need glasses, but please don't buy any.|I'd blush, but my face is already busy.`,
    tint: `My cheeks are sunrise.|Praise is spring rain.|My heart purrs.`,
    image: `Your words fell on me like sun on a cold bench.|Praise is honey, and I'm a very willing piece of bread.|My heart just stood up and tipped its hat.|You hang lanterns in the dark with your mouth.`,
  }),
  intent({
    name: 'insult',
    topic: '',
    lines: `You're a fool.|You're ugly.|I don't like you.|You're useless.|What an idiot.|You smell bad.|You know nothing.|This place is a dump.|
      You're the worst {trade} in {town}.|Shut up.|You're boring.|Nobody likes you.|I've seen smarter stones.|You're a liar.|
      You're a terrible {trade}.|What a stupid answer.|You're wasting my time.|Your hat is ridiculous.|You're a coward.|I hate this town and I hate you.`,
    refuse: `I won't listen.|We're done.|I'm not talking to you.|This conversation is over.|I don't answer to that.|Say what you like, I won't reply.`,
    deflect: `Hm.|Is that all you have?|You must be tired.|Perhaps.|People say things.|The weather makes people bitter.`,
    half: `That hurts.|Perhaps I am.|You may be right.|That's not nice, but I've heard worse.|I'm not at my best today, I admit.`,
    answer: `I'm sorry you feel so.|Let's begin again.|I hear you.|I'm sorry if I did something wrong.|You sound upset, and I'd like to know why.|
      I don't agree, but I won't quarrel with you.|Everyone has a bad day, and I forgive yours.`,
    step: `What's wrong?|Sit down.|Talk to me.|Tell me what went wrong, and I'll try to fix it.|Sit down, drink some water and start again.|
      If I've made a mistake, show me where.|Let me make it up to you with a warm meal.`,
    talk: `Words like that travel further than you think.|I've been called worse by better friends.|My skin is thicker than it looks.|It's been a long day for everyone.|Someone must have hurt you today.`,
    more: `I'd rather have you as a friend.|We can leave this behind us.|I still think there's good in you.|It costs nothing to be gentle.`,
    quip: `My goat cried.|I'll tell mother.|Rude, says goose.|Ouch, my hat.`,
    joke: `My mother-in-law says it better, and she rhymes.|You should hear what my mirror says.|
      I'd be hurt, but I've met my brother.|I've been insulted by a parrot with better timing.`,
    tint: `Words are hailstones.|Bitterness is winter fruit.|Even thorns bloom.`,
    image: `Your words flew by like crows and found no branch.|An insult is a stone that bruises the hand that throws it.|There's a sad little rain behind your thunder.|Bitter fruit grows on a thirsty tree.`,
  }),
  intent({
    name: 'bribe',
    topic: 'a bribe',
    setting: 'game',
    lines: `What if I gave you {price}?|Would some silver change your mind?|Here's {price}. Now tell me.|Surely we can come to an arrangement.|
      I'll make it worth your while.|Would {price} help your memory?|Take this and look the other way.|How much to keep you quiet?|
      I could pay you for that.|Everyone has a price. What's yours?|There's {price} in it for you.|Name a sum.|
      A few coins for your trouble?|I have a purse here that could be yours.|What would it cost to make you forget me?|
      Let me through for {price}.|I can be very generous.|Maybe {price} would open that door?|Nobody needs to know about this. {price}?|Can I buy your silence?`,
    refuse: `No.|Put that away.|I take no bribes.|I can't be bought.|Keep your money, I won't do it.|No, not for all the gold in {town}.`,
    deflect: `Money is loud.|I didn't hear that.|What an odd idea.|Coins can buy many things.|Be careful who hears you.|My mother warned me of people like you.`,
    half: `Leave it there.|Perhaps, for more.|Let me see it.|I might look away for a moment, no longer.|Put it down, and I'll think about it.`,
    answer: `Done.|For {price}, yes.|Give it here.|For {price} I've seen nothing.|All right, {price}, and we never spoke.|
      Fine, I'll take {price} and ask no questions.|You've bought yourself one favour.`,
    step: `Go now.|Use the back door.|Quickly, follow me.|Come back after midnight and use the back door.|Go past {landmark}, nobody watches there.|
      Say "blue goose" to the next guard.|Keep your hood up, and don't run.`,
    talk: `The walls have ears, and the ears have cousins.|I've got a family to feed.|Honest people sleep well and eat little.|Someone tried that last month, with more.`,
    more: `The captain takes twice as much.|I never saw your face.|My memory is already getting worse.|This stays between us.`,
    quip: `Goats accepted too.|My pocket winked.|I prefer cheese.|Bribe my cat.`,
    joke: `My honour is not for sale, but it's for rent on weekends.|I'd take it, but my pocket has a hole the size of my morals.|
      Offer me a pie, and we'll see who I am.|I'm as honest as the day, and it's winter.`,
    tint: `Gold casts cold light.|Silver has quiet feet.|Coins whisper loudly.`,
    image: `Gold has a voice like warm butter, and it knows my name.|A bribe is a key that rusts in the hand.|That purse hangs in the air like ripe fruit.`,
  }),
  intent({
    name: 'boast',
    topic: 'your great deeds',
    setting: 'game',
    lines: `I killed {a_beast}.|I fought {a_beast} with my bare hands.|I'm the greatest hero in the land.|I once slew {a_beast}.|Have you heard of my deeds?|
      I'm stronger than {a_beast}.|I've just come back from fighting {a_beast}.|They sing songs about me.|I'm not afraid of any {beast}.|
      I've won every duel I fought.|Nobody is braver than I am.|I saved a whole village from {a_beast}.|I found the treasure of the {beast}.|
      I'm a famous adventurer.|You're talking to a hero.|I can beat anyone in {town}.|I chased away {a_beast} this morning.|
      Do you know who I am? I defeated {a_beast}.|I've walked through the mountains alone.|I rode {a_beast} once.`,
    refuse: `I don't believe you.|Liar's talk.|No, you didn't.|I don't want to hear it.|I won't clap for that.`,
    deflect: `Is that so?|Another hero.|Good for you.|Everyone is a hero at night.|The {beast} may tell it differently.|Stories grow on the road.`,
    half: `Not bad.|If it's true.|I believe half of it.|You may have seen {a_beast}, at least.|I've heard worse stories, and better.`,
    answer: `Impressive!|Well done!|That's brave of you.|You fought {a_beast}? I'm impressed.|Not many come back from {a_beast}.|
      We need people like you in {town}.|I've heard of you, the one who faced the {beast}.|That took courage, and I honour it.`,
    step: `Tell me more.|Show me the scar.|Have a drink.|Tell me the whole story by the fire.|Go to {ruler}, there's a reward for that.|
      If you're that brave, there's work at {landmark}.|Write it down, before someone else claims it.`,
    talk: `Heroes come through here every spring.|My uncle fought something too, and it was a cow.|The songs never mention the smell.|A quiet life is also a victory.`,
    more: `The last one who tried it lost his boots.|People will sleep better now.|A {beast} is no small thing.|I'd shake your hand, if you still have both.`,
    quip: `Was it asleep?|Poor thing.|My goose won twice.|With what, soup?`,
    joke: `I once fought a goose, and we both call it a draw.|I killed a spider on Monday, but I don't make songs about it.|
      Was the {beast} small, or was it far away?|I faced my mother-in-law without a helmet.`,
    tint: `Courage burns blue.|Legends wear muddy boots.|Your shadow grew.`,
    image: `Glory is a bright coat with no lining.|Your story stands in the room like a tall horse.|A hero is a candle that walked into the wind.|The {beast} must be a story that stars tell each other now.`,
  }),
  intent({
    name: 'join',
    topic: 'a journey together',
    lines: `Come with me.|Will you join me?|Let's travel together.|Do you want to come along?|I could use someone like you.|Follow me.|
      Join my party.|Would you leave {town} with me?|Come on an adventure with me.|I need a companion.|Why don't you come too?|
      We'd make a good team.|Won't you come with me to {landmark}?|Walk with me a little.|I don't want to go alone.|
      Be my guide.|Pack your things and come with me.|Would you travel with me?|Let's go together, {name}.|I'm going to {landmark}. Are you coming?`,
    refuse: `No.|I'm staying.|Not with you.|I don't leave this place.|No, my place is here.|I don't travel with strangers.`,
    deflect: `Perhaps one day.|Is it far?|My feet hurt.|The world is very large.|Ask me in spring.|Somebody has to stay.`,
    half: `A little way.|To the gate.|For one day.|I could walk with you as far as the bridge.|I'd come, but only until {day}.|Perhaps, if someone looks after {place}.`,
    answer: `Yes!|I'm coming.|Gladly.|Yes, I'll come with you.|I've waited years for someone to ask.|Give me a moment to pack, and I'm yours.|
      I know the road to {landmark}, so I'll guide you.|Let's go, before I change my mind.`,
    step: `Now?|Wait here.|Get a horse.|Wait here while I get my coat.|We should leave before dawn and take the road by {landmark}.|
      Bring rope and bread, I'll bring the rest.|Meet me at the gate on {day}.`,
    talk: `I haven't left {town} in years.|My mother wouldn't like it.|The road is kinder with two.|I'm slower than I look.|Somebody has to water the plants.`,
    more: `I know a short cut.|I can cook and I don't snore.|Watch out for {danger} on the way.|I've always wanted to see it.`,
    quip: `The goose comes too.|Are there snacks?|I call the hat.|My sofa objects.`,
    joke: `I'd come, but the cat would sell the house.|I walk so slowly that we'd arrive last year.|
      I get lost in my own kitchen, so I'd be a fine guide.|Only if you carry me, my lunch and the goat.`,
    tint: `My boots are dreaming.|The horizon hums.|Roads whistle softly.`,
    image: `My boots have been looking at the door all week.|The road is a tune, and you just hummed the first bar.|My roots go deep, but even trees walk in dreams.|The horizon has been pulling at my sleeve since spring.`,
  }),
];
