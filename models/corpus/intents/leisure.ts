// Small talk, second half: music, hobbies, books, travel, cooking, gardens, birthdays, home, friends, news of the day. Data only.
import { type Intent, intent } from '../fragment.ts';

export const leisure: Intent[] = [
  intent({
    name: 'music',
    topic: 'music',
    lines: `Do you like music?|What kind of music do you like?|#you Can you sing?|#you Do you play an instrument?|I love {tune}.|Do you like {tune}?|
      #you Sing me a song.|What's your favourite song?|#where Is there music here tonight?|#you Can you dance?|#where I play the fiddle.|What do you think of {tune}?|
      #where I heard music last night. Was that you?|#you Shall we sing something?|#you Do you know any songs?|Music makes me happy.|
      #you When did you last dance?|#where I'd like to learn to sing.|#where Who plays music around here?|#you Do you sing while you work?`,
    refuse: `No music.|I won't sing.|I don't like music.|No, I sing for nobody.`,
    deflect: `Music is music.|Some of it.|It depends on who plays.|I hear what comes through the wall.`,
    half: `A little.|I hum.|Slow songs, mostly.|I can hum a little, but don't look at me.|I used to sing, before my voice got rusty.|
      #where Someone does.|#where Somebody plays on {day}, I forget who.`,
    answer: `I love {tune}.|Yes, {tune}.|I sing badly.|I love {tune}, especially on long evenings.|I play the flute a little, and I sing when I'm alone.|
      {tune} is what I like best.|There's music at {landmark} on {day}.|I dance at every wedding, and I never stop first.|
      #you A little.|#you I sing badly.|#you Yes, old songs.|#you I play the flute a little, and I sing when I'm alone.|#you I know a hundred songs, and most of them are sad.|#you I dance at every wedding, and I never stop first.|#you Gladly, I know an old one about the sea.|
      #where {person} plays.|#where At {landmark}.|#where Ask {person}.|#where {person} plays at {landmark} on {day}.|#where There's music at {landmark} on {day}.|#where You could play with {person}, who knows all the tunes.`,
    step: `And you?|Sing with me.|Come and listen.|And what do you like to hear?|Come to {landmark} on {day}, there's music.|Start with a simple song, I'll teach you one.|Bring your fiddle, and we'll play together.`,
    talk: `My mother sang while she cooked.|A song makes the work shorter.|The walls here carry every note.|Somebody whistles under my window at night.|The old songs are the sad ones.`,
    more: `I know all the words.|It goes straight to my feet.|It reminds me of my father.|There's one song I can't hear without crying.`,
    quip: `Dogs howl along.|The goose plays drums.|Key of cheese.|Earplugs cost extra.`,
    joke: `I sing so badly that the birds have moved away.|I play the fiddle like other people fall down stairs.|
      My dancing cleared a whole barn once.|I know two songs, and one of them isn't.`,
    tint: `Songs are slow birds.|The silence hums along.|Notes fall like plums.`,
    image: `A song is a house you can carry under your tongue.|The music came up the street like a river with lamps on it.|Each note hung in the air like a drop before it falls.|When she sings, even the dust sits down to listen.`,
  }),
  intent({
    name: 'hobby',
    topic: 'my free time',
    lines: `What do you do in your free time?|Do you have any hobbies?|What do you do for fun?|What do you like to do?|#you I've started to paint.|
      Do you play games?|Do you play chess?|What are you good at?|Do you collect anything?|How do you spend your evenings?|
      #you I'm looking for a new hobby.|Do you like to draw?|Can you knit?|What do you enjoy most?|Tell me about your hobbies.|
      Are you good at cards?|What would you do with a free day?|Do you do any sport?|#you I like long walks. And you?|What's your favourite game?`,
    refuse: `I don't have any.|I won't say.|My evenings are private.|No, I work, and that's all.`,
    deflect: `This and that.|Time passes.|It depends on the season.|I sit, mostly.`,
    half: `I walk a bit.|Cards, now and then.|Something with wood.|I tried to paint once, and I stopped.|I collect things, but I'd rather not say which.`,
    answer: `I carve wood.|I paint.|I collect stones.|I carve little animals out of wood.|I play chess with {person} on {day}.|I take long walks and look at birds.|I collect buttons, I have nearly nine hundred.|I paint the same hill again and again.|
      #you Try carving.|#you Good for you.|#you Start small.|#you Carve something, all you need is a knife and a stick.|#you That's a fine thing, it keeps the head quiet.|#you I like long walks too, best with a dog.`,
    step: `Want to try?|And you?|Play a game?|And what do you like to do?|Sit down, and I'll teach you the rules.|Come along on {day}, you'll like it.|Try it for a week, it costs nothing.`,
    talk: `My hands don't like to rest.|Evenings are long without a task.|My brother laughs at me for it.|Everyone needs something useless to do.|The best ideas come on a walk.`,
    more: `I've done it since I was a child.|It makes my head quiet.|I give most of them away.|I'm not very good, but I'm happy.`,
    quip: `Competitive napping.|I iron geese.|Extreme sitting.|Collecting soup.`,
    joke: `I do puzzles, and there's always a piece in the cat.|I took up running, but only from my mother-in-law.|
      I knitted a sweater with three arms, in case.|I play chess with my goat, and I'm getting better.`,
    tint: `Idle hours are gardens.|My hands hum.|Wood dreams of birds.`,
    image: `An hour of my own is a room with the sea in it.|Out of a piece of wood I let the bird that was always inside.|My thoughts lie down like cows in the shade.`,
  }),
  intent({
    name: 'book',
    topic: 'books',
    lines: `Do you like to read?|What are you reading?|Have you read any good books?|#give Can you recommend a book?|What's your favourite book?|
      I love books.|#give I'm looking for something to read.|Do you read before you sleep?|I just finished a great book.|Do you own many books?|
      What was the last book you read?|I can't read very well.|What kind of stories do you like?|Do you like poems?|Have you ever written anything?|
      #give I'd like to write a book.|#give Is there a library in {town}?|Books are boring, I think.|Do you prefer old stories or new ones?|#give Read something to me.`,
    refuse: `I don't read.|No books.|I won't say.|No, books make my eyes hurt.`,
    deflect: `Books are books.|There are so many.|Somebody must read them.|I look at the pictures.`,
    half: `Now and then.|Short ones.|A book about boats.|I started one, but I lost it halfway.|I read the ends first.`,
    answer: `Sea stories.|I love poems.|Yes, every night.|I'm reading a story about a lighthouse and a lost brother.|I like old tales best, with forests and foxes in them.|Take the one about the blind king, it's wonderful.|I read poems, one every evening.|There's a small library next to {landmark}.|
      #give Sea stories.|#give Try old tales.|#give Near {landmark}.|#give Take the one about the blind king, it's wonderful.|#give There's a small library next to {landmark}.|#give Try the story of the lighthouse and the lost brother.|#give Begin with one true line, and the rest will come.`,
    step: `Borrow mine.|And you?|Read it twice.|Take mine, and bring it back when you're done.|Start with the short ones, and read them aloud.|Come on {day}, we read to each other then.|Tell me what you liked, and I'll find you another.`,
    talk: `My shelf is leaning to one side.|Paper has a smell that I like.|My father read to us by the stove.|A rainy day needs a thick book.|I dream in other people's stories.`,
    more: `I cried at the end.|It kept me awake all night.|The middle is slow, but stay with it.|It's about love, in the end.`,
    quip: `The goose ate mine.|Great for pressing ham.|Spoiler: everyone sneezes.|I read soup labels.`,
    joke: `I read a book about glue and couldn't put it down.|My book on patience hasn't arrived yet.|
      I use the thick ones to reach the jam.|I fell asleep on page one, and it was the best nap in literature.`,
    tint: `Pages breathe softly.|Words glow like coals.|Stories have roots.`,
    image: `A book is a pocket with a whole country in it.|Words lie on the page like seeds in snow.|I open it, and the room fills slowly with sea.|Every story leaves a lamp on in some window of the mind.`,
  }),
  intent({
    name: 'travel',
    topic: 'travelling',
    lines: `Do you like to travel?|Where would you like to go?|Have you ever been abroad?|Have you seen the sea?|What's the most beautiful place you know?|
      #where I'm going on a journey.|#where I've just come back from a trip.|Where did you go last?|Have you travelled far?|#where I want to see the world.|
      Do you prefer the mountains or the sea?|What's the furthest you've ever been?|#where Where should I go next?|I love to travel.|
      #where Is it nice in the south?|Have you ever been on a ship?|#where I'm homesick.|#where What do you take along on a journey?|Would you ever leave {town}?|Tell me about a journey of yours.`,
    refuse: `I don't travel.|I won't say.|I stay where I am.|No, the world can come to me.`,
    deflect: `The world is big.|Some day.|It depends on the shoes.|Everywhere has mud.`,
    half: `Not far.|To the coast, once.|A few towns.|I went south once, but I don't remember the name.|I've seen the sea from a hill.`,
    answer: `To the sea.|I love mountains.|Twice by ship.|I once walked to the sea, nine days each way.|I want to see the mountains in the south.|I've been on a ship twice, and I was sick twice.|The most beautiful place I know is a lake in the hills.|I'd love to see the coast in autumn.|
      #where To the coast.|#where Go south.|#where Good shoes first.|#where Go to the coast, the light is different there.|#where In the south the figs fall into your hat.|#where Good shoes and half of what you packed, that's all you need.|#where Every journey is half leaving and half coming home.`,
    step: `And you?|Take good shoes.|Send a card.|And where have you been?|Take good shoes and half of what you packed.|Write to me when you get there.|Go in spring, the roads are empty then.|Ask {person}, who knows the way by heart.`,
    talk: `My bag hangs behind the door.|The best part is coming home.|I like to look at maps in the evening.|My uncle went out for bread and came back from Egypt.|Feet remember more than eyes.`,
    more: `The nights were full of stars.|Everyone was kind to me.|I'd go again tomorrow.|I kept a stone from there.`,
    quip: `My sofa's abroad.|Geese fly free.|I pack cheese.|Lost by breakfast.`,
    joke: `I travelled light, and then I was cold.|I get lost on my own stairs, so I stay at home.|
      I went to find myself, and I wasn't there either.|My suitcase has seen the world, and I have not.`,
    tint: `Roads hum at night.|The horizon is ripe.|Maps dream of feet.`,
    image: `The sea lay there like the back of some huge silver animal.|A road is the world holding out its hand.|Far-off towns glow at night like embers in the grass.|The mountains stood around like old men who had stopped talking.`,
  }),
  intent({
    name: 'cooking',
    topic: 'cooking',
    lines: `Can you cook?|#tonight What's your favourite dish?|#tips How do you make {food}?|Do you like to cook?|#tips I burned my dinner.|#tonight What are you cooking?|
      #tips I want to cook {food}. Any tips?|#tips What's the secret of good {food}?|#tonight I made {food} yesterday.|#tonight What should I cook tonight?|
      #tips Do you have a recipe for {food}?|#tips I can't cook at all.|Who taught you to cook?|#tonight Something smells good.|#tips Is {food} hard to make?|
      #tonight I'm having guests. What shall I make?|#tips What do you put in your {food}?|Do you bake?|#tips My {food} never turns out right.|#tonight What did you eat today?`,
    refuse: `I don't cook.|No recipes.|I won't say.|No, the recipe dies with me.`,
    deflect: `Heat helps.|It depends.|Everyone has a way.|Food is food.`,
    half: `A little.|Eggs, mostly.|With onions.|I can make {food}, but not well.|You need a pot, and then I forget.`,
    answer: `With butter.|I make {food}.|Slowly.|I make {food} every {day}, it's my favourite.|For {food} you need time and a low fire.|The secret of {food} is a spoon of honey.|Fry the onions first, and add everything else later.|Make {food}, everyone likes it.|
      #tips Low fire.|#tips Time and salt.|#tips Butter helps.|#tips For {food} you need time and a low fire.|#tips The secret of {food} is a spoon of honey.|#tips Fry the onions first, and add everything else later.|#tips Stir it slowly, and never walk away from the pot.|
      #tonight {food}.|#tonight Some {food}.|#tonight I love {food}.|#tonight {food}, what else?|#tonight There's {food} in the pot, with fresh bread.|#tonight Make {food}, everyone likes it.|#tonight My favourite is {food}, the way my aunt made it.`,
    step: `Taste it.|Try it tonight.|Add salt.|Taste it before you add the salt.|Come on {day}, and we'll cook together.|Start with half the pepper.|Let it rest under a cloth before you serve it.`,
    talk: `My kitchen is as big as a cupboard.|I learned it by burning things.|My aunt cooked for twelve every day.|Cooking for one is a sad business.|The neighbours come when they smell it.`,
    more: `It's better on the second day.|Fresh herbs make all the difference.|Nobody has ever left any over.|It takes about an hour.`,
    quip: `The goose left town.|Smoke means done.|Salt, regret, repeat.|Call it rustic.`,
    joke: `My smoke is the neighbours' dinner bell.|I follow recipes the way cats follow orders.|
      My soup once won a prize, as a glue.|I cook with wine, and now and then I put some in the food.`,
    tint: `Garlic sings in butter.|The pot dreams.|Steam paints the window.`,
    image: `Onions turn to gold in the pan like small sunsets.|The pot mutters to itself like an old aunt.|A kitchen is a ship that sails on the smell of soup.`,
  }),
  intent({
    name: 'garden',
    topic: 'the garden',
    lines: `Do you have a garden?|What are you growing?|What's in your garden?|#tips My tomatoes are dying.|#tips What grows well here?|
      Do you like flowers?|What's your favourite flower?|#tips I planted beans.|#tips How do I keep the snails away?|#tips When should I plant carrots?|
      I'd like to have a garden.|What do you grow?|#tips Is it too late to plant anything?|#tips My roses have spots.|What flowers do you have?|
      Is that your garden over there?|#tips How often should I water my plants?|#tips I killed another plant.|#tips What do you do against weeds?|Do you grow your own vegetables?`,
    refuse: `I don't garden.|I won't say.|Stay off my beds.|No, plants bore me.`,
    deflect: `Things grow.|It depends on the soil.|Ask the worms.|Plants do what they want.`,
    half: `A few pots.|Mint, mostly.|Less water.|I have a few beans, and the snails have the rest.|I'd water it less, or perhaps more.|
      #tips More sun, perhaps.|#tips I'd water it less, or perhaps more.`,
    answer: `Roses and beans.|Water at dawn.|Sunflowers.|I grow beans, roses and too much mint.|Water them at dawn, never at noon.|Put eggshells round them against the snails.|Plant carrots when the cherry tree blooms.|I have a small garden, and it feeds half the street.|
      #tips Less water.|#tips Water at dawn.|#tips Eggshells help.|#tips Water them at dawn, never at noon.|#tips Put eggshells round them against the snails.|#tips Plant when the cherry tree blooms, not before.|#tips Cut off the bad leaves and give it a week.`,
    step: `Take some seeds.|Come and see.|Try it.|Take some of my seeds and start today.|Come by on {day}, and I'll show you how.|Give it a week in the shade, and it'll come back.|Cut off the spots and burn them.`,
    talk: `My back tells me how big the garden is.|Weeds are just plants with ambition.|The bees came early this year.|I talk to the roses when nobody is near.|A garden is never finished.`,
    more: `The soil is good by the wall.|Rain water is best.|Everything needs more time than you think.|My neighbour does the same, and look at her beans.`,
    quip: `The goose ate it.|Lettuce pray.|Gnomes do nights.|I grow excuses.`,
    joke: `I have green fingers, but that's from the paint.|The snails and I share the salad, and they go first.|
      My cactus died of thirst, so I was told to try stones.|My garden is wild, and I call it design.`,
    tint: `Roots whisper below.|Petals hold their breath.|Moss keeps time.`,
    image: `The roses lean over the wall like gossiping aunts.|A seed is a small dark room with the sun asleep in it.|The beans climb the poles like sailors looking for land.|My garden is a slow green fire.`,
  }),
  intent({
    name: 'birthday',
    topic: 'birthdays',
    lines: `When's your birthday?|#age How old are you?|Do you celebrate your birthday?|#gift What would you like for your birthday?|#gift It's my friend's birthday. What should I give?|
      #gift I need a present for my mother.|How did you spend your last birthday?|#gift Do you like presents?|#age I'm getting old.|#gift What was your best present?|
      Will there be a party?|I forgot a birthday.|Do you like surprises?|#age Guess how old I am.|Is it your birthday today?|
      #gift What do you give someone who has everything?|I'm planning a party.|#age How old do I look?|#age Are you older than you look?|#age What's the best age?`,
    refuse: `I won't say.|No birthdays.|My age is my own.|No, I don't count years.`,
    deflect: `Old enough.|Years are years.|It comes once a year.|I feel different each day.`,
    half: `In autumn.|Older than you.|Something small.|It's in autumn, but I won't say when.|Give something that smells good, perhaps.`,
    answer: `On {day}.|I'm fifty-two.|A warm scarf.|My birthday is on {day}, and there'll be cake.|I'm fifty-two, but my knees are eighty.|Give her something you made yourself.|The best present I ever got was {a_item}.|I'd like one quiet day and a big breakfast.|
      #gift A warm scarf.|#gift Something handmade.|#gift A good {item}.|#gift Give something you made yourself.|#gift The best present I ever got was {a_item}.|#gift One quiet day and a big breakfast, that's the best gift.|
      #age Old enough.|#age About thirty.|#age Fifty-two.|#age I'd say thirty, and a good thirty.|#age I'm fifty-two, but my knees are eighty.|#age The best age is the one where nobody asks.`,
    step: `Come along.|Bring cake.|Write a card.|Come to my party, we start at six.|Write a card by hand, that's worth more.|Wrap it in blue paper and say nothing.|Ask {person} what they need.`,
    talk: `The candles cost more than the cake these days.|My mother always sang too high.|After thirty they come twice a year.|I like other people's parties better.|We used to hide the presents in the barn.`,
    more: `It's the thought that stays.|We'll dance in the kitchen.|I still use it every day.|Nobody forgets a good cake.`,
    quip: `Give socks, always.|The goose jumps out.|Still under ninety.|Cake first, please.`,
    joke: `I stopped counting when the cake caught fire.|I'm at that age where my back goes out more than I do.|
      I got socks again, and I have two feet and forty socks.|My age is a secret between me and everyone.`,
    tint: `Years ring like trees.|Candles count softly.|Time ripens us.`,
    image: `Each year is a ring the tree keeps to itself.|The candles stood on the cake like a tiny town at night.|Birthdays are milestones that wave as you go past.`,
  }),
  intent({
    name: 'home',
    topic: 'my home',
    lines: `Where do you live?|What's your home like?|Do you live near here?|#town Do you like living in {town}?|Have you always lived there?|
      Do you have a nice house?|What can you see from your window?|#town I'm moving to {town}.|#town Is {town} a good place to live?|#town I'm looking for a house.|
      #town What do you like about {town}?|#town Are your neighbours nice?|#town I just moved here.|What's your favourite room?|Is your house warm in winter?|
      Do you live alone?|#town I miss my old house.|#town What makes a home?|How long have you lived there?|Can I visit you at home?`,
    refuse: `I won't say.|No visitors.|My home is private.|No, I don't tell people where I live.`,
    deflect: `Somewhere dry.|It's a roof.|Here and there.|Four walls are four walls.`,
    half: `Not far.|Near {landmark}.|Somewhere up the hill.|I live close by, but I won't say where.|It's small, that's all there is to tell.`,
    answer: `Near {landmark}.|Up the hill.|Two rooms.|I live near {landmark}, in two small rooms.|I have a little house with a crooked roof.|My window looks out on {landmark}.|It's a good place to live, quiet and green.|My neighbours are kind, and one of them bakes.|
      #town It's a good place.|#town I like it.|#town Welcome here.|#town It's a good place to live, quiet and green.|#town The neighbours are kind, and one of them bakes.|#town There's a free house near {landmark}, ask {person}.|#town Home is where they keep a cup for you.`,
    step: `Come and visit.|And you?|Knock twice.|Come and see it on {day}.|If you're looking for a house, ask {person}.|Look at the street near {landmark}, it gets the sun.|Bring nothing, there's always soup.`,
    talk: `The stairs creak on the third step.|The roof needs work before the winter.|It took me years to feel at home.|My chair stands by the stove.|The children next door are loud and happy.`,
    more: `In the evening the sun comes in.|The rent is fair.|I painted the door myself.|I'd never want to leave.`,
    quip: `The goose owns it.|Mind my socks.|Cosy means tiny.|Spiders pay rent.`,
    joke: `My house is so small that I have to go outside to turn round.|The mice and I have an agreement about the cheese.|
      It's so cold in winter that the snowman asks to come out.|I live upstairs, and the stairs live on me.`,
    tint: `Home hums at dusk.|The windows remember.|Walls keep warm words.`,
    image: `My house sits on the hill like a hat on a friendly head.|Home is the place where the dark knows my name.|The lamp in the window is a small moon of my own.|Every room keeps a little of the people who laughed in it.`,
  }),
  intent({
    name: 'friend',
    topic: 'friendship',
    lines: `Do you have many friends?|Who's your best friend?|#how What's a good friend?|#how How do you make friends?|#how I don't have any friends here.|
      My best friend is {person}.|Do you see your friends often?|#quarrel I quarrelled with {person}. What now?|Is {person} your friend?|
      #quarrel I miss my friends.|How did you meet {person}?|#how Where can I meet people in {town}?|#quarrel Have you ever lost a friend?|
      What do you do with your friends?|#how I'd like to make some friends.|#how Would you lie for a friend?|#quarrel My friend never writes.|
      #how Can you trust your friends?|#how Do you need friends?|Who do you talk to when you're sad?`,
    refuse: `I won't say.|No friends.|I need nobody.|No, my friends are my own affair.`,
    deflect: `Friends come and go.|A few.|It depends on the day.|People are people.`,
    half: `One, perhaps.|Two or three.|{person}, I think.|I have a good friend, but we rarely meet.|Talk to people, I suppose, it works now and then.|
      #how Talk to people, I suppose.|#how Be patient.|
      #quarrel Give it time.|#quarrel It may pass on its own, or not.`,
    answer: `{person}.|{person}, for years.|Listen well.|{person} is my oldest friend.|A good friend tells you when you're wrong.|I met {person} in the rain, under one coat.|Go to {landmark} on {day}, people are friendly there.|Say sorry first, it's quicker.|
      #how Listen well.|#how Just say hello.|#how Be kind first.|#how A good friend tells you when you're wrong.|#how Go to {landmark} on {day}, people are friendly there.|#how Ask people about themselves, and then listen.|#how Everyone needs one friend who stays.|
      #quarrel Write first.|#quarrel Say sorry first.|#quarrel It happens.|#quarrel Say sorry first, it's quicker.|#quarrel Write a letter today, and don't wait for an answer.|#quarrel Old friends come back, if you leave the door open.|#quarrel I lost one once, and I still keep a chair for him.`,
    step: `Write today.|Join us.|Go and talk.|Come along on {day}, I'll introduce you.|Write a short letter today, and say what you miss.|Bring bread and knock on the door.|Start with a hello, the rest comes by itself.`,
    talk: `You need two hands to count good friends, and one is enough.|We fought over a kite at school.|Old friends don't need many words.|It's harder when you're older.|The best talks happen while washing up.`,
    more: `We meet every {day}.|We tell each other nearly everything.|It's thirty years now.|I'd trust that person with my house.`,
    quip: `The goose counts.|Friends share cheese.|My hat listens.|Imaginary, but loyal.`,
    joke: `My best friend owes me so much that he can't leave.|I have many friends, and most of them are chickens.|
      A true friend eats the burnt half.|We're so close that we share one bad back.`,
    tint: `Friends are lit windows.|Trust grows like moss.|Two lamps, one shadow.`,
    image: `A friend is a fire you can carry in a pocket.|Old friends are like trees that lean the same way.|Friendship is a bench where the silence is warm.`,
  }),
  intent({
    name: 'gossip',
    topic: 'the news of the street',
    setting: 'everyday',
    lines: `What's new?|Anything new?|Have you heard the news?|What's happening in the street?|Tell me the latest.|Did I miss something?|
      What are the neighbours up to?|I heard a noise last night. What was it?|Who moved in next door?|Any gossip?|
      What's everyone talking about?|You always know the news. So?|Is there something going on today?|Why are all those people outside?|
      What did I miss last week?|Has anything happened here?|I've been away. What's new?|What do people say these days?|Do you know what's going on?|Come on, tell me the gossip.`,
    refuse: `I don't gossip.|I won't say.|I mind my own business.|No, ask the neighbours.`,
    deflect: `Not much.|The usual.|People talk.|There's always something.|It's been quiet, I think.`,
    half: `Something with a van.|Someone moved.|I heard half of it.|There was a noise, but I was in the bath.|Somebody said something about the shop.`,
    answer: `{rumour}.|They say {rumour}.|I heard {rumour}.|Have you heard that {rumour}?|Everyone is talking about it: {rumour}.|The big news is that {rumour}.|{person} told me that {rumour}.`,
    step: `Ask {person}.|Go and look.|More tea?|Ask {person}, who was there.|Walk past {landmark} and see for yourself.|Come by on {day}, I'll know more then.|Sit down, there's more.`,
    talk: `This street has eyes.|I hear everything at {place}.|News travels faster than the bus.|By evening it'll be twice as big.|Some people need a hobby.`,
    more: `I had it from two people.|Nobody knows why.|It was in all the windows at once.|I wouldn't have guessed it.`,
    quip: `The cat confirmed it.|Film at eleven.|My curtains saw.|Scone-based sources.`,
    joke: `The biggest news is that I found my other slipper.|I know everything, and half of it is even true.|
      I promised not to tell, so please look surprised.|The neighbours got a drum, and I got a headache.`,
    tint: `Whispers fly like pollen.|Curtains have eyes.|News smells of rain.`,
    image: `The news went down the street like a dropped bag of oranges.|Gossip grows here like ivy on a sunny wall.|Every window held a face like a row of moons.`,
  }),
];
