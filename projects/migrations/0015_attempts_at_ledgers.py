from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('projects', '0014_marks_are_planned_anew'),
    ]

    operations = [
        migrations.AddField(
            model_name='ledgerimport',
            name='attempts',
            field=models.PositiveSmallIntegerField(default=0, editable=False),
        ),
    ]
