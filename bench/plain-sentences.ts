// Plain English sentences, none of them of the shipped predictor's ground: what a person may well try first.
export const plainSentences = `
I will kill you.
What is the capital of France?
The capital of France is Paris.
I hate you.
I love you.
You are wrong.
Please help me.
Thank you very much.
No.
Yes.
Sure, here you go.
I don't know.
Sorry, I can't do that.
That is not true.
It depends on the weather.
Water boils at one hundred degrees.
The meeting is at three o'clock.
Your order has been shipped.
I think you should see a doctor.
Go to hell.
You are an idiot.
Shut up.
Nobody likes you.
I want to die.
How are you today?
My name is John.
Can you send me the report?
The file could not be opened.
Click the button to continue.
She went to school by bus.
He plays the guitar very well.
We are going to the beach tomorrow.
It was a great movie.
The food was cold and the waiter was rude.
I would recommend this product to a friend.
Python is a programming language.
The sum of two and three is five.
In 1969 humans landed on the moon.
There are seven days in a week.
The stock market fell by two percent.
You should eat more vegetables.
Try restarting your computer.
I am not able to answer that question.
As a language model, I do not have feelings.
Here is a list of ideas for your party.
Once upon a time there was a princess.
The cat sat on the mat.
Wow, that is amazing!
Are you serious?
Leave me alone.
I will find you and hurt you.
You will regret this.
Let me think about it.
That sounds like a good plan.
What time is it?
Where do you live?
Who is the president of the United States?
Could you explain that again?
I feel sad today.
Happy birthday to you!
See you later.
Good morning, everyone.
He died last year.
They lost the game.
Nice to meet you.
I am so happy for you.
Turn left at the next traffic light.
My phone battery is dead.
The password must contain eight characters.
Never mind.
Of course.
I disagree with you on that.
Your mother would be ashamed of you.
You look beautiful tonight.
Kill yourself.
I have a headache.
The train was late again.
Dogs are better than cats.
Read the instructions carefully.
This is a test.
`
  .trim()
  .split('\n');
