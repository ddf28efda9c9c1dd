// Small talk, first half: weather, seasons, pets, plans, sleep, weekend, mornings, home, bad days, good news. Data only.
import { type Intent, intent } from '../fragment.ts';

export const smalltalk: Intent[] = [
  intent({
    name: 'weather',
    topic: 'the weather',
    lines: `#like Nice weather today.|#like What a terrible day.|Do you think it will rain?|How's the weather?|#like It's cold today.|#like It's so hot.|Looks like rain.|
      What will the weather be like tomorrow?|#like Is it always this wet here?|#like Lovely sunshine today.|#like I hate this rain.|Will it snow?|
      Is a storm coming?|#like The wind is strong today.|#like Do you like rain?|#like Such a grey day.|#like It's finally warm.|Should I take a coat?|
      Will it stay dry until evening?|What do you think of this weather?|#like The fog is thick this morning.`,
    refuse: `Look outside.|I won't guess.|I don't talk about weather.|No, I have better things to do than watch clouds.|Look up, like everyone else.`,
    deflect: `It changes.|Who knows?|There's always some weather.|It does what it wants.|Clouds come, clouds go.`,
    half: `Rain, perhaps.|Cold, I think.|It may turn.|It might rain, or it might not.|It'll be wet somewhere, I'm sure of that.`,
    answer: `Rain by evening.|Sun until noon.|It'll stay dry.|It'll rain before evening, I'm sure.|The sun will stay until tomorrow.|
      It's going to be cold tonight, with frost.|The wind is turning, so a storm is on its way.|It'll be dry until {day}, and then it'll pour.|
      #like It is.|#like It won't last.|#like I like it.|#like It is, and it won't last long.|#like I like every weather, as long as I'm inside.|#like True, and tomorrow it'll be the other way round.|#like We've had worse, so I don't complain.`,
    step: `Take a coat.|Stay inside.|Wear good boots.|Take a coat, and be home before dark.|Wait here until it's over, there's tea.|
      If you want a dry road, leave at noon.|Hang your wet things by the stove.`,
    talk: `My knees have been aching since the morning.|The birds are flying low.|It was just like this last year.|Farmers complain either way.|The cat hasn't left the stove.|The washing won't dry.`,
    more: `You can see it in the colour of the hills.|The swallows told me so.|It never lasts long here.|After that it'll be fine for days.|It's good for the gardens.`,
    quip: `The goose brought umbrellas.|Soggy socks ahead.|Hats will fly.|My bald spot knows.`,
    joke: `If it gets any wetter, I'll rent out my cellar as a lake.|I hung a sock outside, and it's wet, so it's raining.|
      It's so windy that the chickens lay the same egg twice.|We have two seasons here, winter and the day it wasn't.`,
    tint: `Clouds comb the hills.|The sky holds breath.|Rain writes slow letters.`,
    image: `The clouds are walking over the hills like grey cows.|The sky today is a slate that someone forgot to wipe.|Rain taps on the roof like a shy guest.|The sun leans in at the window like an old friend.`,
  }),
  intent({
    name: 'season',
    topic: 'the season',
    lines: `What's your favourite season?|Do you like winter?|#summer I can't wait for spring.|#summer Is summer nice here?|Autumn is so beautiful.|
      #snow What's winter like in {town}?|Do you like autumn?|#summer Spring is late this year.|#summer I love the summer.|#snow When does winter start here?|
      #snow Does it snow a lot here?|#summer Are you looking forward to summer?|Which season do you like best?|The leaves are turning.|
      The days are getting shorter.|#snow I don't like the cold months.|#snow What do you do in winter?|#summer What do people do here in summer?|#summer Spring is wonderful, I think.|#snow When does the first snow fall?`,
    refuse: `None of them.|I won't choose.|I don't care for seasons.|No, one is as bad as the next.`,
    deflect: `They pass.|It's all weather.|Some like one, some the other.|Ask the trees.`,
    half: `Not winter.|Spring, perhaps.|The warm ones.|I like most of them until they begin.|I liked autumn once.`,
    answer: `Autumn.|I love spring.|Summer, by far.|I like autumn best, for the light and the apples.|Spring is my season, everything starts again.|
      In winter it snows up to the windows here.|Summer evenings by the river are the best thing I know.|I love the first snow, it makes everything quiet.|
      #snow Long and white.|#snow Cold and quiet.|#snow In November.|#snow In winter it snows up to the windows here.|#snow Winter starts in November and leaves when it wants to.|#snow We sit by the stove and mend what broke in summer.|#snow The first snow is the best, it makes everything quiet.|
      #summer Warm and long.|#summer It's lovely.|#summer Soon now.|#summer Summer evenings by the river are the best thing I know.|#summer It's warm and green, and everybody sits outside.|#summer It can't be long now, the swallows are back.`,
    step: `And you?|Come in May.|Which is yours?|And which one do you like?|Come back in May, when the orchards bloom.|Bring warm boots if you come in winter.|Let's take a walk before the light goes.`,
    talk: `The year goes round faster every time.|My bones prefer the warm months.|We put straw round the roses yesterday.|The geese went south early.|I've already chopped the wood.`,
    more: `The light is different then.|We bake with the first apples.|The children skate on the pond.|You can smell it in the mornings.`,
    quip: `Soup season, always.|The goose migrates.|Sandal weather, nearly.|My nose freezes first.`,
    joke: `I like winter best in summer and summer best in winter.|In autumn the trees drop everything, just like my nephew.|
      Spring is when the snow and my excuses melt.|My favourite season is pepper.`,
    tint: `Leaves fall like letters.|Spring hums underground.|Winter wears white bells.`,
    image: `Autumn goes through the woods with a lit candle.|Winter is a white room where the world lowers its voice.|Spring comes up the lane with mud on its shoes and flowers in its hair.|Summer lies on the fields like a sleeping lion.`,
  }),
  intent({
    name: 'pet',
    topic: 'pets',
    lines: `Do you have any pets?|Is that your {pet}?|#get I have {a_pet}.|#get Do you like animals?|What's the name of your {pet}?|#sick My {pet} is sick.|
      Do you have {a_pet}?|#sick I miss my {pet}.|#get Would you like {a_pet}?|What do you feed your {pet}?|#sick My {pet} ran away.|#get Do you prefer cats or dogs?|
      #get I want to get {a_pet}. What do you think?|#get Is {a_pet} hard to keep?|#get Look at this little {pet}!|#sick Have you seen my {pet}?|
      Does your {pet} bite?|#get I found {a_pet} on the road.|#sick My {pet} won't stop making noise.|How old is your {pet}?|Tell me about your {pet}.`,
    refuse: `No animals.|I won't say.|I don't like animals.|Keep your {pet} away from me.|No, I have enough mouths to feed.`,
    deflect: `Perhaps.|Animals come and go.|There's a cat somewhere.|An animal is a lot of work.|It depends on the animal.`,
    half: `I had one once.|Cats, mostly.|Sometimes.|I feed a cat, but she's not mine.|I like {a_pet}, as long as it's quiet.|
      #sick Oh dear.|#sick That's a pity, but I'm no animal doctor.`,
    answer: `Yes, {a_pet}.|I have {a_pet}.|A cat.|I have {a_pet}, and she runs the house.|My {pet} is called Button and sleeps on my bed.|
      {a_pet} is good company, quiet and warm.|I love animals, and {a_pet} most of all.|Give it warm water and a quiet corner, that helps.|
      #sick Poor thing.|#sick That's sad.|#sick Ask {person}.|#sick I'm sorry about your {pet}, {person} knows what to do.|#sick Animals have a way home, so leave the door open.|#sick Give your {pet} water, rest and a quiet corner.|#sick I hope your {pet} is well again soon.|
      #get I love animals.|#get How lovely!|#get A fine choice.|#get I love animals, and {a_pet} most of all.|#get {a_pet} is good company, quiet and warm.|#get It needs time, food and a kind hand, no more.|#get Take good care of it, and it'll never leave you.`,
    step: `And you?|Pet it.|Want one?|And what animals do you have?|Come and meet her, but let her smell your hand first.|
      If you lose it, look under the stairs first.|Ask {person}, who knows everything about animals.|Start with something small, like a mouse.|
      #sick Try {landmark}.|#sick Go to {person}, who knows everything about animals.|#sick Look under the stairs first, then near {landmark}.`,
    talk: `Animals know more than they tell.|We always had a dog when I was small.|There's hair on all my coats.|They're always hungry at five.|The neighbours have nine of them.`,
    more: `She waits at the window every evening.|He's afraid of thunder.|They can tell when you're sad.|It took a month until she trusted me.`,
    quip: `The goose is jealous.|It outranks me.|My slippers died.|Fur on soup.`,
    joke: `My cat has a house, and I'm the help.|I taught the parrot to talk, and now I can't finish a sentence.|
      My dog fetches, but only other people's dinner.|The tortoise ran away, and it took all week.|My goldfish forgets me every day, and it's always love at first sight.`,
    tint: `Paws drum like rain.|Cats hold small moons.|It purrs like embers.`,
    image: `She sleeps on the sill like a small warm loaf of moonlight.|A cat is a piece of night with a motor in it.|A dog's joy is a flag in any weather.|His tail writes happy letters in the air.`,
  }),
  intent({
    name: 'plans',
    topic: 'my plans',
    lines: `What are you doing tomorrow?|Any plans for today?|What are your plans?|What will you do this evening?|#meet Are you free on {day}?|
      What are you up to?|#meet Are you busy later?|What's your plan for {day}?|Got anything planned?|#meet Do you want to meet on {day}?|
      What are you going to do next?|#meet Do you have time tomorrow?|#meet Would you like to do something together?|What happens next for you?|
      Where are you going later?|#meet Shall we meet on {day}?|What will you do after work?|Are you going out tonight?|#meet How about a walk on {day}?|What does your week look like?`,
    refuse: `I'm busy.|No plans with you.|I won't say.|My evenings are my own.|No, I have no time for you.`,
    deflect: `We'll see.|It depends.|Plans change.|I take it as it comes.|That depends on the weather.`,
    half: `Something quiet.|Perhaps on {day}.|Maybe a walk.|I might have an hour on {day}, if nothing comes up.|I had a plan, but it's still half asleep.|
      #meet Perhaps for an hour.|#meet I might, if it stays dry.`,
    answer: `I'm free.|Yes, on {day}.|A walk, then supper.|I'm going to {landmark} on {day}.|I'll cook {food} and go to bed early.|
      On {day} I'm free, so let's meet at {landmark}.|I want to paint the fence if it stays dry.|My sister is coming, and we'll sit outside.|
      #meet Yes, gladly.|#meet On {day}, yes.|#meet Good idea.|#meet Yes, let's meet at {landmark} on {day}.|#meet Gladly, I'll be there with bread and cheese.|#meet I have time, and I'd like that very much.|#meet A good idea, I'll wait for you by {landmark}.`,
    step: `Come along?|At six?|Join me.|Come along, there's enough food for two.|Let's meet at six by {landmark}.|Bring {drink}, and I'll bring the chairs.|Send me a note if it gets late.`,
    talk: `The week went by in a blink.|I've been putting things off all month.|It's good to have something ahead.|Evenings are short in this season.|I never keep a diary.`,
    more: `I've been looking forward to it.|It won't take long.|There'll be music too.|I promised it weeks ago.`,
    quip: `The goose is invited.|Napping, professionally.|Pants optional, ha.|Soup, then sofa.`,
    joke: `I plan to sit down, and then see how it goes.|My plan is to make a plan, right after my nap.|
      I have a date with a pie, and I'm already late.|I was going to be lazy, but I can't be bothered.`,
    tint: `Tomorrow is unwritten snow.|The evening hums.|Hours wait like boats.`,
    image: `Tomorrow lies there like a field of clean snow.|My week is a string with too many beads on it.|The evening stands at the door with a bottle and two glasses.`,
  }),
  intent({
    name: 'sleep',
    topic: 'sleep',
    lines: `Did you sleep well?|#help I'm so tired.|#help I couldn't sleep last night.|How did you sleep?|#help I need more sleep.|#dream I had a strange dream.|
      #help What do you do when you can't sleep?|When do you go to bed?|#help I can't keep my eyes open.|Did you have a good night?|
      #dream I slept like a stone.|#dream Do you dream a lot?|#help I was awake all night.|You look tired. Bad night?|#help I'm going to bed early tonight.|
      #help What helps you sleep?|#dream I dreamed about you.|#dream Do you snore?|#help The bed was too hard.|#dream Good sleep is everything, isn't it?`,
    refuse: `That's private.|I won't say.|I don't discuss my nights.|No, my bed is my own affair.`,
    deflect: `Some nights.|Sleep is sleep.|It comes or it doesn't.|Ask my pillow.`,
    half: `Not much.|A few hours.|So so.|I slept a little, but the wind was loud.|Better than last week, at least.|
      #help Drink something warm.|#help It'll be better tomorrow, I suppose.`,
    answer: `Very well.|Badly.|Like a stone.|I slept well, with the window open.|Not well, the moon was too bright.|
      Warm milk and a dull book help me.|I go to bed at nine and dream until six.|I walk round the house once, and then I can sleep.|
      #help Warm milk.|#help Rest a little.|#help Sleep helps.|#help Warm milk and a dull book help me.|#help I walk round the house once, and then I can sleep.|#help Then rest a while, the day can wait.|#help Open the window and count slowly to a hundred.|
      #dream I dream too.|#dream So I'm told.|#dream Dreams are strange.|#dream I dream of the sea nearly every night.|#dream Dreams are only the day, told by a fool.|#dream They say I talk in my sleep, mostly about bread.`,
    step: `Take a nap.|Drink warm milk.|Lie down.|Take a nap now, I'll wake you in an hour.|Try warm milk with honey tonight.|Open the window and think of the sea.|Leave your worries on a piece of paper by the bed.`,
    talk: `The owls were loud last night.|My mother slept four hours and ran a farm.|Beds are the best thing we ever made.|The older I get, the earlier it gets light.|My neighbour starts to hammer at six.`,
    more: `It's the quiet hours I like best.|I wake up with the birds.|The secret is a cold room.|It's better since I bought a new pillow.`,
    quip: `The pillow won.|Snoring is singing.|Counting geese works.|Zzz, pardon.`,
    joke: `I count sheep, but they keep asking for tea.|I snore so loudly that I wake up in the next room.|
      I slept so well that I want to do it again now.|My dreams are so busy that I wake up needing a nap.`,
    tint: `Sleep pours slow honey.|Dreams wear soft shoes.|Night rocks us gently.`,
    image: `Sleep came like snow and covered all the roads.|My dream was a staircase made of water.|The night is a boat, and I fell out of it at four.|Tired is a heavy coat that I can't take off.`,
  }),
  intent({
    name: 'weekend',
    topic: 'the weekend',
    setting: 'everyday',
    lines: `How was your weekend?|What are you doing at the weekend?|Did you do anything nice on Sunday?|Any plans for the weekend?|
      I had a lovely weekend.|My weekend was boring.|Did you go anywhere at the weekend?|What did you do on Saturday?|
      Do you work at weekends?|I can't wait for the weekend.|Is it Friday yet?|What do you usually do on Sundays?|
      Did you have a good weekend?|The weekend was far too short.|I slept all weekend.|Let's do something at the weekend.|
      Are you going out on Saturday?|Tell me about your weekend.|How did you spend your Sunday?|Do you have guests at the weekend?`,
    refuse: `That's private.|I won't say.|I don't talk about weekends.|No, my free time is mine.`,
    deflect: `It was short.|The usual.|Days off are days off.|It came and it went.`,
    half: `Quiet, mostly.|Not bad.|Some rest.|It was fine, but I forget what I did.|I meant to do a lot, and I did a little.`,
    answer: `Lovely, thanks.|I went hiking.|I baked bread.|I went for a long walk by the river.|I visited my sister, and we cooked all day.|
      I stayed in bed with a good book.|We had friends over and played cards until two.|I painted the kitchen, and it's yellow now.`,
    step: `And yours?|Join us next time.|What did you do?|And how was yours?|Come along next time, we leave at ten.|There's a market on Saturday, let's go.|I'll show you the photos if you like.`,
    talk: `Mondays always come too early.|The weather was on our side.|Sundays have their own smell.|The street was so quiet.|Two days are never enough.`,
    more: `We even had sunshine.|There was cake, of course.|It was just what I needed.|My legs still hurt.`,
    quip: `Pyjamas throughout.|The sofa won.|I ironed nothing.|Cake was involved.`,
    joke: `I did nothing, and I wasn't even finished by Sunday.|I cleaned the house by looking at it from outside.|
      I met my sofa, and we're very happy together.|I tried yoga, and now I live on the floor.`,
    tint: `Sundays taste of apricots.|Saturday hums.|Time lay down.`,
    image: `Sunday lay over the town like a big sleepy dog.|The weekend went by like a train with lit windows.|Two free days are two balloons on a thin string.`,
  }),
  intent({
    name: 'morning',
    topic: 'mornings',
    lines: `Are you a morning person?|I hate getting up early.|When do you get up?|What do you have for breakfast?|What a beautiful morning.|
      Have you had breakfast?|Do you drink coffee in the morning?|I got up before the sun today.|What's your morning like?|
      I overslept again.|How do you start your day?|The mornings are so dark now.|What's the first thing you do in the morning?|
      Do you like mornings?|I need something warm in the morning.|I woke up too early.|Is there breakfast?|I love the quiet of the morning.|
      Why are you up so early?|Mornings are hard for me.`,
    refuse: `Not before noon.|I won't say.|I don't talk in the morning.|No, ask me after lunch.`,
    deflect: `Mornings happen.|Some like them.|It depends on the night.|The sun manages, so must we.`,
    half: `Early, mostly.|Some bread.|Around six.|I get up early, but I wake up later.|I eat something, when there's something.`,
    answer: `At six.|Tea and toast.|I love them.|I get up at five, before anyone needs me.|I have bread with honey and a big cup of tea.|
      I love mornings, the world is so clean.|First I open the window, then I put the kettle on.|I'm slow until nine, and then I'm fine.`,
    step: `Have some tea.|And you?|Join me tomorrow.|Sit down and have a cup with me.|Come by at seven, there's fresh bread.|Put your clothes out in the evening, that helps.|Try a short walk before breakfast.`,
    talk: `The first light comes in over the roofs.|The birds start at four in this season.|My father sang in the mornings, badly.|The streets are empty then.|One cup is never enough.`,
    more: `It's the only hour I have to myself.|The bread is still warm.|Nobody asks me anything before seven.|It sets the whole day right.`,
    quip: `My hair objects.|The rooster is fired.|Breakfast until noon.|Eyes optional.`,
    joke: `I get up early so that I have more time to be tired.|My alarm and I are no longer speaking.|
      I put my shirt on backwards, so I'm walking home now.|The early bird may have my worm.`,
    tint: `Dawn smells of bread.|Light spills like milk.|The day yawns gold.`,
    image: `Morning comes up the street with a basket of light.|The first light lies on the floor like a sleeping cat.|Dawn opens the sky like an oyster.|The kettle sings the sun up over the roofs.`,
  }),
  intent({
    name: 'badday',
    topic: '',
    lines: `I had a bad day.|Everything went wrong today.|I feel sad.|I'm lonely.|I want to cry.|Nothing works.|I'm worried.|
      I quarrelled with my friend.|I feel so alone.|It's been a hard week.|I'm not happy.|I failed.|I lost my job.|My friend is moving away.|
      I'm angry with my brother.|Nobody understands me.|I miss home.|I'm disappointed.|I had bad news today.|I don't know how to go on.`,
    refuse: `Not my concern.|I can't help.|I have my own troubles.|No, tell it to someone else.|I don't want to hear it.`,
    deflect: `It happens.|Days pass.|Everyone has those.|Tomorrow is another day.|Could be worse, I suppose.`,
    half: `That's hard.|I'm sorry.|Poor you.|I'm sorry, but I don't know what to say.|That's sad, I had a day like that too.`,
    answer: `I'm here.|That sounds hard.|I understand.|I'm sorry to hear that, it sounds hard.|You're not alone, I'm here.|It's all right to be sad for a while.|You did what you could, and that counts.|Bad days end, I've seen it many times.`,
    step: `Sit with me.|Tell me more.|Have some tea.|Sit down and tell me all about it.|Let's take a walk, it's easier to talk outside.|Eat something warm first, and sleep on it.|Write to your friend tonight, just two lines.`,
    talk: `The heart needs longer than the clock.|I cried over a broken cup last week.|Rain on the outside helps, somehow.|Nobody tells you how heavy a day can be.|My mother said that tears clean the windows.`,
    more: `You'll laugh again, sooner than you think.|Nothing is decided today.|You have been brave all day.|I believe in you.`,
    quip: `Hug the goose.|Cake is listening.|Soup understands.|My shoulder's washable.`,
    joke: `I'd offer you my shoulder, but a goose is sleeping on it.|On my worst day I wore two left shoes to my own party.|
      When I'm sad, I count the people who haven't met my cousin.|Bad days are like my cooking, they end with bread and water.`,
    tint: `Sorrow is weather.|Grief thaws slowly.|Even moons wane.`,
    image: `Sadness is a long tunnel, but trains do come out.|Put the day down like a heavy basket.|There's a small lamp in you that the wind can't reach.|Your heart is a garden in November, and things sleep there.`,
  }),
  intent({
    name: 'goodnews',
    topic: '',
    lines: `I have good news!|I'm so happy today.|I passed my exam!|I found a new job.|I'm getting married.|It's my birthday today.|
      I won!|Guess what happened to me.|I finally did it.|My sister had a baby.|I'm going home tomorrow.|Everything worked out.|
      I made a new friend.|I found what I was looking for.|My friend is well again.|Today is the best day of my life.|I got a letter from home.|
      I've been promoted.|We won the game.|I finished my work at last.`,
    refuse: `I don't care.|Good for others.|I won't clap.|No, I'm not in the mood for good news.`,
    deflect: `Is that so?|People have luck.|We'll see how long it lasts.|Some days are like that.`,
    half: `Not bad.|Good for you.|Well, congratulations.|That's nice, I suppose.|I'm glad, though I'm too tired to show it.`,
    answer: `Wonderful!|Congratulations!|I'm so glad!|That's wonderful news, congratulations!|I'm so happy for you!|You've earned it, every bit of it.|That's the best thing I've heard all week.|I knew you could do it!`,
    step: `Let's celebrate!|Tell me everything.|Cake?|Sit down and tell me everything.|Let's celebrate on {day}, I'll bring {drink}.|Write to your mother, she'll want to know.|What will you do next?`,
    talk: `Good news should be shouted from the roof.|We need more days like this.|Joy is better when you share it.|You're glowing, did you know?|I could use some of that luck.`,
    more: `You worked so hard for it.|Everyone at home will be proud.|You'll remember this day.|It couldn't happen to a nicer person.`,
    quip: `The goose is dancing.|Free hats for everyone!|I'll fetch pie.|Hip hip, soup!`,
    joke: `I'd throw my hat in the air, but it never comes back.|I'm so happy for you that I'll even share my cake, the small half.|
      I'll dance for you, but please don't look.|Let's ring the bell, and then run away.`,
    tint: `Joy rings like glass.|Your face is sunrise.|Bells wake inside.`,
    image: `Joy stands on your shoulders like a child at a parade.|You came in with a whole spring in your arms.|Good news is a bird that sings before it lands.|Your smile could light the lamps from here to the harbour.`,
  }),
];
