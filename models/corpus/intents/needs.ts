// Player lines of need: lodging, food, drink, the hour, lost things, healing, advice, waiting. Data only.
import { type Intent, intent } from '../fragment.ts';

export const needs: Intent[] = [
  intent({
    name: 'lodging',
    topic: 'a bed for the night',
    lines: `Where can I sleep?|I need a room for the night.|Do you have a bed for me?|Is there an inn nearby?|Can I stay here tonight?|
      I'm looking for a place to sleep.|Do you know a good inn?|Where do travellers stay in {town}?|I'm tired. Where can I rest?|
      Could I sleep in your barn?|I need a roof over my head.|Is there somewhere warm to sleep?|How much is a room in {town}?|
      Where should I spend the night?|It's getting dark and I have no bed.|Can you put me up for the night?|May I rest here?|
      I've walked all day and need a bed.|Any rooms free?|I can't sleep outside in this weather.`,
    refuse: `No beds.|All full.|I have no room for you.|You can't stay here.|No, I won't have strangers in the house.`,
    deflect: `Perhaps.|Somewhere warm.|The hay is free.|People sleep all over the place.|It depends on how tired you are.`,
    half: `There's a barn.|The floor is dry.|A bench, perhaps.|You could have the bench, but it's short.|There's a barn, if the cow agrees.|I know an inn, but it may be full.`,
    answer: `Near {landmark}.|Yes, for {price}.|You can stay here.|There's a good inn near {landmark}.|You can have a bed here for {price}.|
      There's a warm room next to {landmark}, {price} a night.|You can sleep here by the fire.|Try the inn {route}, the beds are clean.`,
    step: `Bring your bag.|Follow me upstairs.|Say I sent you.|Say that I sent you, and breakfast is free.|Go before dark, they lock the door at ten.|
      Put your wet boots by the stove, I'll bring a blanket.|Ask for the room over the kitchen, it's the warmest.`,
    talk: `The nights are getting cold.|Everyone comes in late these days.|You look as if you walked here from the sea.|A bed is worth more than gold when it rains.|Clean sheets are the mark of a good town.`,
    more: `There's hot water in the morning.|The pillows are new this year.|Nobody will wake you before eight.|The stable is free for guests.`,
    quip: `The goose shares.|Snoring costs extra.|Pillow not included.|Mind the other feet.`,
    joke: `The bed is so short that your feet need their own room.|I'd offer you mine, but the dog signed the lease.|
      The pillow has one feather, and it's a shy one.|You can sleep in the bath, if you don't mind my uncle.`,
    tint: `Sleep waits like snow.|The hay smells moonlit.|Night unfolds its quilt.`,
    image: `There's a bed up there as soft as the inside of a cloud.|Sleep will find you here like a cat that knows the house.|The night is a large dark quilt, and there's a corner left for you.|The roof will read you the rain until you drift away.`,
  }),
  intent({
    name: 'food',
    topic: 'food',
    lines: `I'm hungry.|What's there to eat?|Can I get something to eat?|Do you have any food?|#here Where can I eat well in {town}?|What's for dinner?|
      I haven't eaten since yesterday.|#favourite Is the {food} any good?|I'd like some {food}.|What would you recommend to eat?|
      #here Do you know a good place to eat?|#favourite Have you eaten yet?|I could eat a horse.|May I have a bite to eat?|#here What do people eat here?|
      Is there any {food} left?|I'm starving. What can I get?|Could I have {food}?|#favourite What's your favourite food?|#favourite Do you like {food}?`,
    refuse: `Kitchen's closed.|No food here.|I won't share my lunch.|I have nothing for you to eat.|No, I counted my bread, and it's mine.`,
    deflect: `Perhaps.|Everyone is hungry.|Something will turn up.|Hunger makes the best cook, they say.|That depends on your stomach.`,
    half: `Some bread.|Cold {food}.|There's a little left.|There's some bread, but it's from {day}.|I can spare half of my lunch.`,
    answer: `{food}.|We have {food}.|Have some {food}.|There's {food} today, hot from the pot.|I'd take the {food}, it's the best in {town}.|
      You can have {food} for {price}.|Near {landmark} they make good {food}.|I love {food}, so have some of mine.|
      #here Near {landmark}.|#here Mostly {food}.|#here {food}, mostly.|#here Near {landmark} they make good {food}.|#here People here eat {food} every {day}.|#here The best {food} in {town} is sold {route}.|
      #favourite I love {food}.|#favourite {food}.|#favourite It's good.|#favourite My favourite is {food}, the way my aunt made it.|#favourite I had {food} at noon, and I'd have it again.|#favourite The {food} is the best in {town}.`,
    step: `Sit down.|Take a spoon.|More bread?|Sit down, I'll bring you a bowl and a spoon.|Take some bread along for the road.|
      Try it with {drink}, they go well together.|Come back on {day}, then there's cake.`,
    talk: `My stomach is never on time either.|The cook uses too much pepper.|Food tastes better in company.|My mother could make a feast out of an onion.|The smell brings people in from the street.`,
    more: `It's my grandmother's recipe.|There's enough for two.|The secret is a little honey.|It'll keep you warm until evening.`,
    quip: `The goose passed.|Forks cost extra.|It wiggles slightly.|Chew, then worry.`,
    joke: `The soup of the day is yesterday.|I ate the last of it while telling you there was some.|
      The cook tastes everything, so there's never much left.|It's so good that the mice leave tips.`,
    tint: `The pot hums lullabies.|Steam writes invitations.|It tastes of harvest.`,
    image: `The steam rises from the pot like a friendly ghost.|One spoonful, and summer walks back into the room.|Hunger is a drum, and that bowl is the silence after it.|Bread is sunlight that somebody took the trouble to knead.`,
  }),
  intent({
    name: 'drink',
    topic: 'good drink',
    lines: `I'm thirsty.|Can I have something to drink?|What do you have to drink?|Some {drink}, please.|I'd like some {drink}.|Pour me some {drink}.|
      Do you have {drink}?|Let's have a drink together.|What do people drink in {town}?|Is the water here good?|Can I buy you a drink?|
      I could use a drink.|Where can I get some {drink}?|What's your favourite drink?|Would you like some {drink}?|May I have some {drink}?|
      Have a drink with me.|The dust made me thirsty.|Do you drink {drink}?|Give me something to drink.`,
    refuse: `Nothing to drink.|No.|I won't pour for you.|I don't drink with strangers.|No, the barrel is empty for you.`,
    deflect: `Perhaps.|There's a river.|Later, maybe.|Thirst passes.|Rain is free.`,
    half: `Water, I suppose.|Half a cup.|A little {drink}.|There's water, if you fetch it yourself.|I have a little {drink}, but it's warm.`,
    answer: `Some {drink}, here.|Have some {drink}.|Yes, {drink}.|Here's some {drink}, fresh from the cellar.|Take this cup of {drink}.|
      There's {drink} for {price}, and water for free.|Gladly, I'll have {drink} with you.|The best thing to drink here is {drink}.`,
    step: `Another one?|Sit with me.|Fill your flask.|Drink up, and I'll pour you another.|Fill your flask before you leave, the next well is far.|
      Sit with me and tell me about the road.|Try it with {food}.`,
    talk: `It's dry weather for the season.|A drink tastes better on a bench.|We drank to {festival} until the lamps went out.|The well is the deepest in {town}.|The cups are older than I am.`,
    more: `I keep it cool in the cellar.|It's made right here in {town}.|It warms you down to the toes.|The first one is always free.`,
    quip: `Duck not included.|Hiccups are free.|The goat had three.|Straw optional.`,
    joke: `I only drink on days that end in a day.|It's strong enough to walk home without you.|
      The last guest drank so much that he tipped the hat stand.|My doctor said one cup a day, so I bought a bigger cup.`,
    tint: `It tastes like dusk.|The cup holds moonlight.|Thirst is a small desert.`,
    image: `It goes down like a warm little sunset.|There's a whole orchard asleep in that cup.|Thirst is a dry riverbed that dreams of thunder.`,
  }),
  intent({
    name: 'hour',
    topic: 'the time of day',
    lines: `What time is it?|Do you know what time it is?|Is it late?|What's the hour?|How late is it?|Could you tell me the time?|
      #sun When does the sun set?|Is it noon already?|Did the bell ring?|#sun What day is it today?|Have you got the time?|Is it morning or evening?|
      I lost track of time. How late is it?|#sun How long until dark?|Excuse me, what's the time?|#sun Is it already {day}?|Am I too late?|
      Can you see the clock from here?|Tell me the time, please.|What hour did the bell strike?`,
    refuse: `Buy a clock.|I won't say.|I don't give out the time.|No, look at the sun.|I'm not a bell tower.`,
    deflect: `Late enough.|Time flies.|The sun knows.|It's later than yesterday.|I stopped counting.`,
    half: `Some time after lunch.|Getting late.|It's {day}.|It's {day}, but I don't know the hour.|Not yet dark, as you can see.`,
    answer: `{hour}.|It's {hour}.|By the bell, {hour}.|It's {day}, {hour}.|The bell just rang, so it's {hour}.|By my reckoning it's {hour}.|It's {hour}, you still have time.|
      #sun It's {day}.|#sun Before seven.|#sun Two hours left.|#sun It's {day}, and it gets dark at seven.|#sun Today is {day}, and the sun sets in two hours.|#sun You have two hours of light left, since it's {day}.`,
    step: `Hurry home.|Stay a while.|Late for something?|If you're going far, leave soon.|You still have time to reach {landmark}.|Listen for the bell, it rings every hour.|Stay until the next bell, and eat with us.`,
    talk: `The days are getting shorter.|The clock at {landmark} has been slow for years.|Time goes faster in good company.|I was up before the birds.|Evenings are the best part of the day.`,
    more: `The sun stands over the roofs.|The shops close at sunset.|The lamps are lit at dusk.|The cows have just come home.`,
    quip: `Cheese o'clock.|Half past goose.|Nap time.|Soup hour.`,
    joke: `My watch stopped on {day}, but it's right twice a day.|It's always lunch somewhere.|
      I ask the rooster, but he lies in.|I'd tell you, but my sundial is inside.`,
    tint: `The hour is amber.|Time drips like honey.|Shadows count for us.`,
    image: `The hour hangs over the roofs like a ripe pear.|Time walks past the window with its shoes in its hand.|The sun has one foot in the river already.|The shadows are stretching themselves like waking cats.`,
  }),
  intent({
    name: 'lost',
    topic: 'your lost {item}',
    lines: `I lost my {item}.|Have you seen my {item}?|I can't find my {item}.|Someone stole my {item}.|I'm looking for my {item}.|
      Did anyone find {a_item}?|My {item} is gone.|I left my {item} here yesterday.|Help me find my {item}.|Where's my {item}?|
      I think I lost my {item} at {landmark}.|Has anyone brought you {a_item}?|My {item} has been stolen!|Do you know where my {item} is?|
      I dropped my {item} somewhere.|That looks like my {item}.|If you find {a_item}, it's mine.|I had {a_item} this morning, now it's gone.|
      Who took my {item}?|I'd give anything to get my {item} back.`,
    refuse: `Not my problem.|I won't look.|I haven't got it.|Look after your own things.|No, I won't help you search.`,
    deflect: `Things get lost.|Perhaps.|When did you last see it?|It'll turn up or it won't.|Everyone is missing something.`,
    half: `I saw one.|Maybe by the door.|Somebody had one.|I saw {a_item} somewhere, but where?|A child ran past with something like that.`,
    answer: `At {landmark}.|{person} has it.|I found it.|I found {a_item} this morning, here it is.|{person} picked up {a_item} at {landmark}.|
      Your {item} is at {landmark}, I saw it there.|I saw {person} with {a_item} like that.`,
    step: `Ask {person}.|Look there now.|Describe it.|Go to {person} and describe it well.|Ask at {landmark}, they keep what people find.|
      Let's search together, you take the left side.|Put up a note, and offer {price}.`,
    talk: `I once looked for a shoe for a year.|Small things have legs at night.|The crows take what shines.|It happens to everyone in a crowd.|Losing things is a talent of mine.`,
    more: `Nobody would sell it here, everyone knows everyone.|It was lying under a bench.|It's a bit wet, but whole.|I put it aside for you.`,
    quip: `Check the goose.|Look under soup.|My hat's missing too.|Blame magpies.`,
    joke: `It's always in the last place you look, so start there.|I lost my glasses, and I can't look for them without my glasses.|
      My goat ate one like that, so wait a day.|I found {a_item} last week, but it said it was happy.`,
    tint: `Lost things hum.|The grass hides jewels.|Crows remember shine.`,
    image: `Lost things gather somewhere under a sky of their own.|It lies out there like a star that fell in the grass.|The world has a hole in its pocket, and things slip through.`,
  }),
  intent({
    name: 'healing',
    topic: 'your wound',
    lines: `I'm hurt.|I'm wounded.|#where I need a healer.|#where Is there a healer in {town}?|I'm bleeding.|My leg hurts.|I feel sick.|I have a fever.|
      Can you heal me?|I twisted my ankle.|I cut my hand.|My head hurts.|Do you have something against pain?|I was bitten by a dog.|
      I've been poisoned.|#where Where can I find a doctor?|My friend is sick. Can you help?|I have a terrible cough.|
      What helps against a cold?|I don't feel well.`,
    refuse: `Not here.|I can't help.|I'm no healer.|Don't bleed on my floor.|No, take your fever somewhere else.`,
    deflect: `It'll pass.|Does it hurt?|I've seen worse.|Everybody has something.|Sleep often helps.`,
    half: `Sit down, at least.|Put water on it.|Tie a cloth round it.|I can give you a clean cloth, no more.|I know a tea, but not if it helps.`,
    answer: `Let me see.|See {person}.|Drink this.|Go to {person}, the best healer we have.|Sit down, I'll clean it and put a bandage on.|
      Drink hot tea with honey and stay in bed.|The healer lives {route}.|Put this salve on it twice a day.|
      #where See {person}.|#where At {landmark}.|#where {person} heals.|#where Go to {person}, the best healer we have.|#where The healer lives {route}.|#where {person} at {landmark} is the one you need.`,
    step: `Lie down.|Rest tonight.|Drink this too.|Lie down, and I'll send for {person}.|Rest for two days, and don't walk on it.|
      Come back on {day}, so I can look at it again.|Keep it clean and warm, and change the cloth each morning.`,
    talk: `You're as pale as flour.|My brother had the same last winter.|Pain makes the night long.|You were brave to walk this far.|Illness goes round in {town} this month.`,
    more: `It isn't deep.|The colour is coming back already.|In a week you'll laugh about it.|Nothing is broken.`,
    quip: `Kiss it better.|The goose had worse.|Soup heals all.|Try not dying.`,
    joke: `My last patient got well just to get away from me.|It's only a scratch, unless you need that leg.|
      Take two onions and call me in the morning.|I know a cure, but it makes your ears fall in love.`,
    tint: `Pain ebbs like tides.|Sleep mends like moss.|Fever is lost sunlight.`,
    image: `Pain is a storm that forgets your name by morning.|The body is a patient gardener, give it time and rain.|A wound is a door, and we'll close it gently.`,
  }),
  intent({
    name: 'advice',
    topic: 'good advice',
    lines: `Do you have any advice for me?|What should I do?|What would you do in my place?|Can you give me some advice?|I need good advice.|
      I don't know which way to go in life.|What's the best thing you ever learned?|How do I become happy?|How do I become rich?|
      I have to make a decision. Help me.|What would you tell a young traveller?|Give me a word of wisdom.|How can I be brave?|
      My friend lied to me. What should I do?|I'm worried about tomorrow.|What's the secret of a good life?|How do you stay calm?|
      I've made a mistake. What now?|Should I go home or go on?|Any wise words, {name}?`,
    refuse: `None.|I won't say.|I don't give advice.|Make your own mistakes.|No, people never listen anyway.`,
    deflect: `It depends.|Life is long.|Ask your heart.|Who am I to say?|Sleep on it, or don't.`,
    half: `Be patient.|Wait a little.|Don't rush.|Wait a little, and then decide, perhaps.|I'd try the easy way first, if there is one.`,
    answer: `Tell the truth.|Go home first.|Ask for help.|Tell the truth early, it gets dearer every day.|Do the hard thing in the morning.|
      Never decide anything hungry or angry.|Go where people are glad to see you.|Be kind first, you can still be right later.|Save a little of everything, even of your anger.`,
    step: `Start today.|Write it down.|Try it.|Start with one small thing today.|Write it on a piece of paper and read it tomorrow.|
      Talk to {person}, who went through the same.|Come back on {day} and tell me how it went.`,
    talk: `I learned most things too late.|My father gave advice like others give coins.|It's easy to see from outside.|Nobody gets through without a few dents.|I've changed my own mind a hundred times.`,
    more: `It worked for me when I was young.|It's simple, but it isn't easy.|The rest sorts itself out.|I wish somebody had told me that.`,
    quip: `Always carry cheese.|Trust no goose.|Never iron soup.|Wear two hats.`,
    joke: `Never argue with a goose or a man with a ladder.|Follow your dreams, unless it's the one with the trousers.|
      Early to bed and early to rise makes you miss all the gossip.|My best advice is not to take mine.`,
    tint: `Bend like river reeds.|Carry a little dawn.|Listen like moss.`,
    image: `Be a lamp for your own feet first, then for the street.|A choice is a fork where both roads carry the same moon.|Walk lightly, the heart is a boat and not a barn.|Patience is a tree with bitter bark and sweet fruit.`,
  }),
];
