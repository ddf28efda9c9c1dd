// Player lines about the wider world: danger, legends, jokes, riddles, history, magic, luck, festivals, law, beasts. Data only.
import { type Intent, intent } from '../fragment.ts';

export const lore: Intent[] = [
  intent({
    name: 'danger',
    topic: 'the danger on the road',
    setting: 'game',
    lines: `Is the road safe?|Are there any dangers around here?|Is it dangerous outside the walls?|#night Should I be careful?|What dangers are on the road?|
      #night Can I travel at night?|Is it safe to go to {landmark}?|Are there monsters near {town}?|#night What should I watch out for?|
      Is there anything dangerous near {landmark}?|Will I be safe on the road?|Have there been attacks lately?|#night Do I need a weapon here?|
      Is {town} a safe place?|What's out there in the dark?|#night I'm leaving tonight. Is that wise?|Are there {danger} on the road?|
      Is the way to {landmark} dangerous?|Has anyone been hurt on the road?|#night Should I travel with a guard?`,
    refuse: `Find out.|I won't say.|Go and see for yourself.|I don't warn strangers.|No, your safety is your own affair.`,
    deflect: `Perhaps.|It depends.|Life is dangerous.|Safer than some roads, worse than others.|That depends on how fast you run.|The careful ones come back, mostly.`,
    half: `Not at night.|Be careful.|Something is out there.|By day it's fine, mostly.|There's something out there, but nobody agrees on what.|Take a stick along, that's what I'd do.`,
    answer: `{danger}.|Yes, {danger}.|Watch for {danger}.|There's talk of {danger} near {landmark}.|The road is safe by day, but at night watch for {danger}.|
      The last cart met {danger} close to {landmark}.|Beware of {danger} on the way to {landmark}.|Two people were hurt last week, because of {danger}.|
      #night Not at night.|#night Watch for {danger}.|#night Don't go alone.|#night Don't go at night, because of {danger}.|#night Be careful, there's talk of {danger}.|#night I'd wait for daylight, and I'd take a friend.`,
    step: `Go by day.|Take a torch.|Stay here tonight.|Go by day and stay on the road.|Take a torch and a friend, and avoid {landmark}.|
      Wait for the merchants on {day} and travel with them.|Ask {person}, who knows a safer path.|Sleep here and leave at first light.`,
    talk: `The old road was better.|My cousin lost a shoe and his courage there.|Nobody repairs the lamps anymore.|I don't go out after dark myself.|The guards say it's fine, but they stay inside.`,
    more: `It started when the moon was new.|You can hear it when the wind is right.|Three carts have turned back already.|Even the dogs won't go there.`,
    quip: `Mostly geese, though.|Run in zigzags.|Bring bread for bribes.|Bears love hats.`,
    joke: `The most dangerous thing around here is my cooking.|You don't need to be fast, you need a slower friend.|
      The road is safe, it's the holes that attack people.|My uncle went that way unarmed, and came back with one arm too many.`,
    tint: `Night has many elbows.|The trees count travellers.|Dusk sharpens its knives.`,
    image: `After sunset the road forgets where it was going.|Something walks there that even the fog steps around.|The dark out there has a slow and patient heartbeat.|Fear grows along that road like black clover.`,
  }),
  intent({
    name: 'legend',
    topic: 'the old story of {town}',
    lines: `Tell me a story.|Do you know any legends?|Tell me an old tale.|I'd love to hear a story.|#builder What's the legend of {landmark}?|
      Do you know a good story?|Are there any old tales about {town}?|#builder Tell me something about {landmark}.|Tell me a bedtime story.|
      #builder Is there a legend about this place?|What do the old people tell?|A story, please!|I can't sleep. Tell me a story.|
      #builder Is it true what they say about {landmark}?|What's the oldest story you know?|Do you know a ghost story?|Tell me about the {beast} of {town}.|
      #builder Who built {landmark}?|You must know a tale or two.|Have you got a story for me, {name}?`,
    refuse: `No stories.|Not tonight.|I don't tell tales.|I won't tell that one.|No, stories bring bad luck before rain.`,
    deflect: `Perhaps later.|I forget how it goes.|There are so many.|My grandmother told it better.|Stories are for winter.|Someone died, someone cried, the usual.`,
    half: `There was {a_beast}.|It ends badly.|Something about {a_beast}.|There was {a_beast}, but I forget the ending.|It begins at {landmark}, and then it gets sad.|I only know the first half.`,
    answer: `{a_beast} built it.|{a_beast} sleeps below.|They say {a_beast} sleeps under {landmark}.|Once {a_beast} fell in love with a girl from {town}, and it waits for her still.|
      A poor boy tricked {a_beast} at {landmark} and became a king.|Long ago {ruler} hid a crown at {landmark}, and nobody found it.|
      A baker once fed {a_beast} with honey cake, and it guarded {town} ever after.|
      #builder {ruler} built it.|#builder {a_beast} sleeps there.|#builder It's true.|#builder They say {a_beast} sleeps under {landmark}.|#builder {ruler} built {landmark} for a lost love.|#builder A poor boy tricked {a_beast} at {landmark} and became a king.|#builder It's true, on cold nights {landmark} hums by itself.`,
    step: `Want another?|Go and listen.|Ask me again.|Go to {landmark} at midnight and put your ear to the ground.|Shall I tell you the other ending?|
      Ask {person} to sing it for you.|Come back on {day}, and I'll tell you the next part.`,
    talk: `I heard it on my father's knee.|Every village tells it another way.|The fire is right for a story.|Children love the part with the boots.|Some of it must be true.`,
    more: `You can still see the marks in the stone.|On windless nights you can hear it breathe.|That's why nobody whistles there.|The song has forty verses.|They found a golden shoe there last year.`,
    quip: `And a goose.|Then everyone sneezed.|The hero was bald.|Pie features heavily.`,
    joke: `In my version the hero is a goose, and she wins.|Everyone lived happily, except the chicken, who was soup.|
      I know one about a wall, but you'd never get over it.|It's a long story with a short hero.`,
    tint: `Tales glow like embers.|Old stories breathe.|The fire remembers it.`,
    image: `A story is a lantern that someone hands you in the dark.|Under the hill the {beast} turns over, and the bells ring by themselves.|Its heart still beats there, slow as a drum under snow.|The tale goes round the fire like a bird made of smoke.`,
  }),
  intent({
    name: 'joke',
    topic: 'jokes',
    tellsJokes: true,
    lines: `Tell me a joke.|Do you know any jokes?|Make me laugh.|Say something funny.|I need a good laugh.|Have you heard a good joke lately?|
      Can you cheer me up?|Do you know a funny story?|Tell me something funny, {name}.|I bet you can't make me laugh.|A joke, please!|
      #you Are you funny?|What's the funniest thing you know?|Got any jokes?|I've had a bad day. Tell me a joke.|Tell me your best joke.|
      #you Do you have a sense of humour?|#you What makes you laugh?|Do you know the one about the goat?|Let me hear a joke.`,
    refuse: `No jokes.|Not today.|I don't joke.|I'm not in the mood for jokes.|No, I have never been funny.`,
    deflect: `I know few.|Life is funny enough.|Ask a jester.|I forget the ends.|Others are funnier than I am.`,
    half: `There's one about a duck.|It ends with a pie.|I know half of one.|There's one about two monks, but I forget the end.|A man walks into a barn, and that's all I remember.`,
    answer: `I know one.|Here's one.|Listen to this.|All right, here's one for you.|This one always works.|I heard this one from {person}.|My favourite goes like this.|
      #you I try.|#you People say so.|#you Bad jokes, mostly.|#you I laugh at bad jokes and at good soup.|#you They say I'm funny, but mostly at funerals.|#you A sense of humour is all I brought with me.`,
    step: `Your turn.|Another one?|Know any?|Now you tell me one.|Shall I tell you another?|Tell it to {person}, but stand back.|Come on {day}, that's when the funny people meet.`,
    talk: `The best jokes are too long.|My father could make a stone laugh.|Nobody laughed at it yesterday.|People need a laugh in this weather.|Timing is everything.`,
    more: `They still tell it in the next town.|I laughed for a week.|It's better with hand movements.|It has never failed me.`,
    quip: `Ha.|Knock knock, moo.|Pie.|It was the goat.|Hold your hat.`,
    joke: `What does a ghost eat for lunch? Boo-berry pie.|Two fish sit in a tank, and one says, how do you drive this thing?|
      Why did the goose cross the bridge? To bite the man on the other side.|A horse walks into an inn, and the innkeeper says, why the long face?|
      What's brown and sticky? A stick.|My friend fell into the well, and I told him to see that well.|
      Why did the baker stop? He ran out of dough.|A man asked for a room with a view, so they gave him a window without a wall.|
      What do you call a sleeping bull? A bulldozer, said the lazy one.|I told my hat a joke, and it went over my head.`,
    tint: `Laughter has bright feet.|Joy spills like grain.|Mirth rings like glass.`,
    image: `A laugh is a window thrown open in a stuffy house.|Laughter runs round the room like a child with a kite.|A good joke is a spark that lands in dry straw.`,
  }),
  intent({
    name: 'riddle',
    topic: 'riddles',
    lines: `Tell me a riddle.|Do you know any riddles?|Give me a riddle.|I like riddles. Do you have one?|Ask me a riddle.|Test my wits.|
      Can you give me a puzzle?|Let's play riddles.|Try to puzzle me.|I'm good at riddles.|Have you got a riddle for me?|Do you like riddles?|
      One riddle, please.|What's your hardest riddle?|I'm bored. Ask me a riddle.|Challenge me with a riddle.|I bet I can solve any riddle.|
      Make me think.|What has roots that nobody sees?|Another riddle?`,
    refuse: `No riddles.|Not today.|I don't play games.|I won't play riddles with you.|No, my head is full already.`,
    deflect: `I know few.|Life is a riddle.|Ask a sphinx.|You're a riddle yourself.|I used to know a good one.`,
    half: `It has legs.|The answer is water.|Something with no mouth.|I know the answer to one, but not the question.|It goes up and never comes down, I think.`,
    answer: `What has teeth but can't bite?|What falls but never breaks?|What grows when it eats and dies when it drinks?|What has a bed but never sleeps?|
      What runs all day and has no legs?|What can you hold without your hands?|What gets wetter the more it dries?|What has one eye and can't see?`,
    step: `Can you guess?|Take your time.|Guess.|You have three guesses.|If you give up, ask {person}.|Think of something you see every day.|Answer before {day}, and the soup is on me.`,
    talk: `I learned it from a ferryman.|Children are better at this than we are.|Most people give up too soon.|A riddle keeps the mind young.|The last one who solved it cried.`,
    more: `The answer is in this room.|It's easier than it sounds.|My grandmother solved it in one breath.|You use it every day.`,
    quip: `Not a goat.|Hint: not cheese.|The answer isn't pie.|Geese always guess.`,
    joke: `The answer is always "the goose", except when it's right.|I asked the cat, and the cat left the room.|
      I've known the answer for years, but not what it means.|My brother answered "soup" to all of them, and he was happy.`,
    tint: `Riddles are locked rain.|Answers hide in echoes.|Think like water.`,
    image: `A riddle is a small locked garden with the key inside.|The answer swims under your words like a fish under ice.|Turn it in your mind like a stone with a star inside.`,
  }),
  intent({
    name: 'history',
    topic: 'the history of {town}',
    lines: `Tell me about the history of {town}.|#age How old is this town?|Who founded {town}?|What happened here in the old days?|#war Was there a war here?|
      What was {town} like in the past?|#age Has {town} always been here?|How did {town} get its name?|What's the history of {landmark}?|
      #age Is {landmark} very old?|Who lived here before?|#age When was {landmark} built?|What do you know about the old times?|
      #war Did something terrible happen here?|#war Why is {landmark} empty?|Were things better in the past?|#war What happened to the old kings?|
      Tell me how {town} began.|I'm interested in the past of {town}.|Are there old books about {town}?`,
    refuse: `The past is dead.|I won't say.|I don't dig up the past.|No, let the dead rest.|I don't teach history.`,
    deflect: `It's old.|Before my time.|Ask the stones.|Nobody wrote it down.|There were wars, there always are.`,
    half: `Very old.|There was a fire.|Some king built it.|It burned down twice, I forget when.|There was a war, and then there was mud.`,
    answer: `{ruler} built it.|It began with three huts.|{town} is four hundred years old.|{town} began as three huts and a well.|{ruler} founded it after the long war.|
      The town burned down once and was built again in one summer.|It was named after a girl who saved it from the flood.|
      #age Four hundred years.|#age Very old.|#age Older than kings.|#age It's four hundred years old, maybe more.|#age It stood here before the first king.|#age It was built in one summer, after the great fire.|
      #war A great fire.|#war There was a war.|#war They all left.|#war There was a war, and nobody won it.|#war A great fire came in the night and took nine streets.|#war The plague came, and people left through the south gate.`,
    step: `See the old stone.|Ask {person}.|Read the chronicle.|Go to {landmark} and read the stone by the door.|Ask {person}, who remembers the old days.|
      On {day} there's a walk through the old streets.|Look for the line on the wall, the flood came up to there.`,
    talk: `My grandfather remembered the old bridge.|The young don't care for such things.|Every stone here was carried uphill.|History is only gossip with dust on it.|We still find old coins in the fields.`,
    more: `You can still see the black stones from the fire.|The founders lie behind {landmark}.|There used to be twelve towers.|They kept the old bell.`,
    quip: `Geese came first.|Founded by mistake.|Mostly mud, then cheese.|I was elsewhere.`,
    joke: `It was founded by a man who was looking for somewhere else.|The first mayor was a goat, and some say the best.|
      We lost the great war because of soup, but that's another story.|In the old days even the future was better.`,
    tint: `Time pooled here.|The stones dream backwards.|Centuries settle like snow.`,
    image: `The past lies under this town like a second town asleep.|Time has worn the streets into the shape of its own feet.|Each stone here is a page that rain is slowly reading.|Centuries hang in the air like dust in a sunbeam.`,
  }),
  intent({
    name: 'magic',
    topic: 'magic',
    setting: 'game',
    lines: `Do you believe in magic?|Can you do magic?|Are there wizards here?|Is magic real?|Have you ever seen magic?|Do you know any spells?|
      #learn Teach me a spell.|#learn Where can I learn magic?|#learn Is there a witch in {town}?|Can you cast spells?|What do you know about magic?|
      Is magic forbidden here?|#learn I'm looking for a wizard.|#learn Could you enchant my {item}?|#learn Is my {item} magical?|Do curses exist?|
      #learn I think I'm cursed.|#learn Who here knows about magic?|Show me some magic.|Have you met a sorcerer?`,
    refuse: `No magic here.|I won't say.|I don't speak of magic.|I won't touch magic.|No, people burned for that talk.`,
    deflect: `Who knows?|Perhaps.|Strange things happen.|I believe in soup and sleep.|Some say yes, some say run.`,
    half: `I saw something once.|A little.|There's an old woman.|I know one small charm against hiccups.|I saw a light once that no lamp had made.`,
    answer: `It's real.|Ask {person}.|I've seen it.|Magic is real, and {person} can do it.|Yes, I once saw {person} stop the rain.|
      There's a witch near {landmark}, and she's kind on {day}.|It's forbidden in {town}, but not everyone obeys.|
      #learn Ask {person}.|#learn {person} can.|#learn At {landmark}.|#learn {person} knows about such things, so ask at {landmark}.|#learn There's a witch near {landmark}, and she's kind on {day}.|#learn Only {person} could tell you that for certain.|#learn A wizard lives {route}, but he's often asleep.`,
    step: `Bring salt.|Go at midnight.|Ask politely.|Go to {landmark} at midnight and bring salt.|If you feel cursed, wash your hands in the river and ask {person}.|
      Start with small things, like candles.|Take this charm and never lose it.`,
    talk: `My aunt could call birds.|People are afraid of what they don't understand.|The last wizard here left without paying.|Odd lights are common in autumn.|Children see more of it than we do.`,
    more: `It always costs something in the end.|The candles burned blue that night.|You can feel it in your teeth.|It runs in families, they say.`,
    quip: `Poof, says goose.|I vanish before chores.|Abracadabra, turnips.|My hat is empty.`,
    joke: `I know one spell, and it turns money into soup.|A wizard turned my neighbour into a goose, and nobody noticed.|
      I can make a whole pie disappear.|I was under a spell once, but it was just Monday.`,
    tint: `Magic smells of rain.|The air remembers fire.|Runes hum in moss.`,
    image: `Magic is the wind that blows from inside things.|A spell is a song that the world forgot it was singing.|There are sparks asleep in every stone, dreaming of thunder.|The air thickens like honey when she speaks.`,
  }),
  intent({
    name: 'luck',
    topic: 'good luck',
    lines: `Wish me luck.|I need some luck.|#belief Do you have a lucky charm?|Can you bless me?|Give me your blessing.|#belief What brings good luck?|
      I have a long journey ahead. Wish me luck.|#belief Do you believe in luck?|#belief I've had such bad luck lately.|#belief How can I change my luck?|
      #fortune Tell me my fortune.|#fortune What does the future hold for me?|#fortune Can you read my palm?|#fortune Will I be lucky?|#fortune What are my chances?|
      #fortune Will I find what I'm looking for?|I have a big day tomorrow.|I'm about to face {a_beast}. Wish me luck.|#fortune Do you think I'll succeed?|Say a good word for me.`,
    refuse: `No.|I won't.|I don't hand out luck.|I don't tell fortunes.|No, luck is not mine to give.`,
    deflect: `Perhaps.|Luck is luck.|Time will tell.|It comes and it goes.|Some have it, some have money.`,
    half: `A little luck, then.|Good luck, I suppose.|You may need it.|I wish you some, I have little to spare.|It could go well, or it could rain.|
      #fortune It could go either way.|#fortune I see something, but it's dark.`,
    answer: `Good luck!|You'll be fine.|All the luck in {town}.|I wish you all the luck in the world.|You'll find what you look for, I feel it.|
      May your feet be dry and your purse heavy.|I'll think of you and keep my thumbs pressed.|Your hand says a long road and a warm ending.|
      #fortune You'll be lucky.|#fortune You'll find it.|#fortune A long road.|#fortune Your hand says a long road and a warm ending.|#fortune You'll find what you look for, close to {landmark}.|#fortune I see a letter, a door and good news on {day}.|#fortune Your chances are better than you think.|
      #belief I do.|#belief Work brings luck.|#belief A horseshoe.|#belief Get up early and be kind, that brings luck.|#belief I believe in luck, but I lock my door.|#belief Hang a horseshoe over the bed, it works for me.|#belief Bad luck gets tired if you keep walking.`,
    step: `Take this coin.|Touch the door.|Wear green.|Take this coin and keep it in your left shoe.|Touch the stone at {landmark} before you go.|
      Get up before the sun and speak to no one until noon.|Come back and tell me how it went.`,
    talk: `My mother hung a horseshoe over each door.|Luck likes those who work.|I found a clover once and lost it.|Bad luck gets bored in the end.|Some days everything falls butter side down.`,
    more: `The signs are good this week.|You have a lucky face.|I've seen people with less make it.|Things are turning your way.`,
    quip: `Pet the goose.|Rub my bald spot.|Avoid falling pianos.|Lucky socks help.`,
    joke: `My lucky charm fell on my foot.|I wish you luck, since all I have is cheese.|
      I looked into your future, and there was a lot of soup in it.|I'd cross my fingers, but they're holding a pie.`,
    tint: `Luck walks barefoot.|The stars lean closer.|Fortune hums nearby.`,
    image: `May the stars tie a small bright knot in your sleeve.|Luck is a grey cat that comes when you stop calling.|Your road glows a little at the far end, like a door ajar.|Fortune turns like a mill, and you stand on the rising side.`,
  }),
  intent({
    name: 'festival',
    topic: '{festival}',
    lines: `#when When is {festival}?|#when Is there a festival soon?|What happens at {festival}?|Are you going to {festival}?|Tell me about {festival}.|
      What do people do here for fun?|#when Is there a feast coming up?|Why are there flags everywhere?|What are you celebrating?|
      Will there be dancing at {festival}?|#when I heard about {festival}.|#bring Can strangers come to {festival}?|#bring What should I bring to {festival}?|
      Are you looking forward to {festival}?|Is {festival} worth seeing?|#when When's the next holiday?|Why is the town so busy?|
      Do you like {festival}?|How do you celebrate {festival}?|#bring Who is invited to {festival}?`,
    refuse: `Not for strangers.|I won't say.|I don't celebrate.|I don't go to {festival}.|No, you're not invited.`,
    deflect: `Soon.|It's a lot of noise.|Some like it.|You'll hear the drums.|It's the same each year.`,
    half: `Next week, perhaps.|There's dancing.|Soon, I think.|There's food, and then it gets loud.|I know it's soon, but not which day.|
      #when Soon, I think.|#when Next week, perhaps.`,
    answer: `On {day}.|It's on {day}.|{festival}, on {day}.|{festival} is on {day}, and everyone is welcome.|We dance all night and eat {food} on {festival}.|
      At {festival} we carry lights down to the river.|On {day} we hang lamps in every window for {festival}.|
      #when On {day}.|#when {festival}, on {day}.|#when Soon, on {day}.|#when {festival} is on {day}, and everyone is welcome.|#when It's {festival} on {day}, you came at the right time.|#when On {day} we hang lamps in every window for {festival}.|
      #bring Everyone is welcome.|#bring Bring bread.|#bring A lamp.|#bring Bring a lamp and something to eat.|#bring Everyone is welcome, strangers most of all.|#bring Bring good shoes, there's dancing all night.`,
    step: `Bring a lamp.|Come along.|Wear good shoes.|Bring a lamp and good shoes, and come to {landmark} at dusk.|Come with me, I'll save you a seat.|
      Be there early, the {food} is gone by eight.|Ask {person} for a mask.`,
    talk: `The children have talked of nothing else.|Last year it rained, and nobody cared.|We need a feast after such a winter.|I danced until my shoes gave up.|My mother always baked for it.`,
    more: `The music starts at sunset.|Even {ruler} comes down to dance.|There's a prize for the best mask.|The whole town smells of {food}.`,
    quip: `The goose leads.|Hide your hats.|I dance like soup.|Free pie, probably.`,
    joke: `I won the dance once, because everybody else had eaten the fish.|Last year the goat gave the speech, and it was shorter.|
      I'm in charge of the soup, so bring your own lunch.|My dancing was mistaken for a medical problem.`,
    tint: `Lanterns bloom that night.|The streets learn dancing.|Drums wake the river.`,
    image: `That night the town wears its windows like jewels.|A thousand little lights float off like a second river of stars.|The music climbs the walls like ivy in flower.|For one night the old stones forget that they are heavy.`,
  }),
  intent({
    name: 'law',
    topic: 'the law in {town}',
    setting: 'game',
    lines: `What are the laws here?|Is that against the law?|What's forbidden in {town}?|#carry May I carry a weapon here?|#jail What happens to thieves here?|
      #carry Can I sleep in the street?|#carry Do I need a permit?|#carry Is there a curfew?|#jail Who judges here?|#jail What's the punishment for stealing?|
      I don't want trouble with the guards. What should I know?|#jail Are the guards strict?|#jail Where's the jail?|#carry Can I light a fire here?|
      #carry Are weapons allowed in {town}?|#carry Do I have to pay a toll?|#carry Is it legal to sell my {item} here?|What must a stranger know about the law?|
      #carry When does the gate close?|#jail Somebody said I broke the law.`,
    refuse: `Ask a judge.|I won't say.|I don't explain the law.|No, learn it the hard way.|I'm not your lawyer.`,
    deflect: `There are many.|It depends.|Laws change.|It depends on who you know.|The rich have other ones.`,
    half: `Don't steal.|No weapons, I think.|Keep quiet at night.|There's a rule about fires, but nobody reads it.|Something is forbidden after ten, I forget what.|
      #jail A fine, mostly.|#jail Nothing good, I suppose.|
      #carry By day, perhaps.|#carry I think so, but ask a guard.`,
    answer: `No weapons after dark.|The gate shuts at ten.|Thieves sweep streets.|No drawn swords, no fires, no singing after midnight.|Thieves sweep the streets for a month.|
      The gate closes at sunset, and the toll is {price}.|Judge Marlow hears every case on {day}.|You may carry a blade, but you may not draw it.|
      #jail Thieves sweep streets.|#jail {person} judges.|#jail A month in jail.|#jail Thieves sweep the streets for a month.|#jail {person} hears every case on {day}.|#jail The jail is {route}, and it's cold.|#jail The guards are strict with strangers and soft with cake.|
      #carry Not after dark.|#carry With a permit.|#carry Until ten only.|#carry By day yes, but not after ten.|#carry You need a permit from the town hall, it costs {price}.|#carry It's allowed for those who pay the toll of {price}.|#carry After sunset nothing of that kind is allowed.`,
    step: `Pay the toll.|Hide the knife.|Ask for a pass.|Get a pass at the town hall, it costs {price}.|If the guards stop you, say that {person} knows you.|
      Leave your weapon at the gate and get a ticket for it.|Read the board at {landmark} before you do anything.`,
    talk: `The guards are bored, and that's when they're strict.|We had no jail until last year.|The judge sleeps through most of it.|A law is only as awake as its guard.|They fined a man for whistling.`,
    more: `They check the inns at night.|A kind word to the guard helps.|The fine is a week's wages.|It's been so since {ruler} came.`,
    quip: `Geese are exempt.|No loud trousers.|Cheese is evidence.|Pie theft is serious.`,
    joke: `It's illegal to be ugly on {day}, so I stay in.|Our judge has been asleep since spring, and justice has improved.|
      They arrested my goat, but she ate the charges.|The only law here is never to park a goose.`,
    tint: `Justice wears slippers.|The law rusts slowly.|Keys jingle like frost.`,
    image: `The law here is a fence, and the wind goes through it.|Justice is a lamp that smokes more than it shines.|The rules hang over the gate like icicles, so mind your head.`,
  }),
  intent({
    name: 'beast',
    topic: 'the {beast}',
    setting: 'game',
    lines: `Have you seen the {beast}?|Is there {a_beast} near here?|#kill How do I kill {a_beast}?|Where does the {beast} live?|#kill I'm hunting {a_beast}.|
      What do you know about the {beast}?|#size Is it true there's {a_beast} at {landmark}?|#kill Do you fear the {beast}?|#kill How can I fight {a_beast}?|
      #kill What does {a_beast} eat?|#size Has the {beast} attacked anyone?|#kill They sent me to slay the {beast}.|#kill What's the weakness of {a_beast}?|
      When was the {beast} last seen?|Does the {beast} come to {town}?|Where can I find the {beast}?|#size How big is the {beast}?|
      #size I heard a roar. Was that the {beast}?|Tell me about the {beast}.|Who has seen the {beast}?`,
    refuse: `I won't say.|Leave it be.|I don't speak its name.|No, I won't send you to your grave.|Leave the {beast} alone.`,
    deflect: `Perhaps.|Some say so.|It's only a story.|People see things in the fog.|I've heard noises, that's all.`,
    half: `Somewhere north.|It's big.|It hates fire, I think.|It's been seen, but nobody knows where it sleeps.|I know that it comes at night, no more.|
      #kill With luck.|#kill It hates fire, I think.`,
    answer: `At {landmark}.|It sleeps at {landmark}.|It fears fire.|The {beast} sleeps near {landmark} by day.|{person} saw the {beast} at {landmark} on {day}.|
      {a_beast} can't stand fire or loud bells.|It took two sheep last week, close to {landmark}.|Feed it honey, and it falls asleep.|
      #kill With fire.|#kill It fears fire.|#kill Use honey.|#kill {a_beast} can't stand fire or loud bells.|#kill Feed it honey, and it falls asleep.|#kill Go at noon, when the {beast} sleeps.|#kill It has one soft spot, right under the left ear.|
      #size Big as a barn.|#size Yes, it's true.|#size That was it.|#size It's true, and it's as big as a barn.|#size Yes, it took two sheep near {landmark}.|#size You can hear it every night when the wind is right.`,
    step: `Take fire.|Don't go alone.|Ask {person}.|Take a torch and a bell, and don't go alone.|Talk to {person}, who got away from it.|
      Go at noon, when it sleeps.|If you bring me a tooth, I'll give you {reward}.`,
    talk: `The sheep are nervous since {day}.|Nobody walks there alone now.|My grandfather told stories about one.|They put a price on its head.|It has never harmed a child.`,
    more: `Its tracks are as long as my arm.|The ground shook when it passed.|It left a burnt circle in the grass.|You'll smell it first.`,
    quip: `It likes cheese.|Bring a spare hat.|The goose isn't scared.|It snores, luckily.`,
    joke: `It ate my laundry, so it's the best dressed {beast} in the land.|I've seen it, and it needs a comb more than a hero.|
      It came to town once, smelled the soup and left.|You could bore it to death, I can lend you my brother.`,
    tint: `It breathes like bellows.|The hills hold still.|Its shadow weighs something.`,
    image: `Its shadow crosses the fields like a cloud with teeth.|When it sleeps, the whole hill rises and falls.|Its eyes are two lamps at the bottom of a lake.|The {beast} is a storm that learned to walk.`,
  }),
];
