"""Figures in templates."""

from django import template

from duecourse.app.ui.format import money

register = template.Library()
register.simple_tag(money, name="money")
